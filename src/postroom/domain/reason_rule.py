"""The form of a text rule: one row of the tables of what servers say in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextRule:
    """All phrases, at that operator, with that code, mean this reason."""

    reason: str
    phrases: tuple[str, ...]
    """Lower case, single spaces; every one must occur."""
    source: str
    operator: str | None = None
    """None: whoever speaks."""
    code: str | None = None
    """The enhanced code that must stand beside the words; None: any or none."""


def rules(
    reason: str, source: str, said: str, *, operator: str | None = None, code: str | None = None
) -> tuple[TextRule, ...]:
    """One rule for each text of `said`: `|` stands between texts, `&` between phrases of one.

    A phrase loses its outer spaces; `_` in its place keeps one, where a word must begin or end.
    """
    return tuple(
        TextRule(reason, tuple(_phrase(part) for part in text.split("&")), source, operator, code)
        for text in said.split("|")
    )


def _phrase(text: str) -> str:
    return text.strip().replace("_", " ")
