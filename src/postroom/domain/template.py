"""Logic-less templates: text with `{{ key }}` fields, parsed once and rendered many times.

There is nothing else in the language: no logic, no attributes, no includes. A value is put in
as it is and never looked at again, so a value that holds `{{ other }}` stays that text. A
literal `{{` is written `\\{{`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

_ESCAPED = r"\{{"
_OPENING = re.compile(r"\\?\{\{")
FIELD = re.compile(r"\{\{\s*([A-Za-z0-9_.-]{1,64})\s*\}\}")

OWN_PREFIX = "postroom."
"""Fields that are filled in by us begin so."""
UNSUBSCRIBE = f"{OWN_PREFIX}unsubscribe"
"""The one that a text may have: the address of the page for refusing mail of this kind."""


class TemplateError(ValueError):
    """The text is no template; says where (`line` and `column`, from 1) and what to do."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(
            f"line {line}, column {column}: a field is written {{{{ key }}}}, the key being 1 to "
            "64 letters, digits, dots, hyphens or underscores; write a literal {{ as \\{{"
        )
        self.line = line
        self.column = column


class MissingField(LookupError):
    """There is no value for the field `key`."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no value for the field {{{{ {key} }}}}")
        self.key = key


@dataclass(frozen=True, slots=True)
class Field:
    """A place that a value goes into."""

    key: str


@dataclass(frozen=True)
class Template:
    """A parsed text; `parse` makes it."""

    literals: tuple[str, ...]
    """The text before, between and after the fields: always one more than there are fields."""
    fields: tuple[str, ...]
    """The key of each field, in the order of the text."""

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys that a rendering needs a value for."""
        return frozenset(self.fields)

    @cached_property
    def segments(self) -> tuple[str | Field, ...]:
        """The text in order: literal text and fields, without empty literals."""
        segments: list[str | Field] = [*self._with_gaps]
        segments[1::2] = map(Field, self.fields)
        return tuple(segment for segment in segments if segment != "")

    @cached_property
    def _with_gaps(self) -> list[str]:
        """Every second element is the place of a field."""
        gaps = [""] * (2 * len(self.fields) + 1)
        gaps[::2] = self.literals
        return gaps

    def render(self, values: Mapping[str, str], escape: Callable[[str], str] | None = None) -> str:
        """The text with every field replaced by its value; raises MissingField.

        `escape` is applied to the values and not to the literals (`html.escape` for HTML).
        """
        try:
            found = [values[key] for key in self.fields]
        except KeyError as error:
            raise MissingField(error.args[0]) from None
        return self._filled(found if escape is None else map(escape, found))

    def with_tags(self, tag: Callable[[str], str]) -> str:
        """The text with every field replaced by `tag(key)`: a provider's substitution tag."""
        return self._filled(map(tag, self.fields))

    def _filled(self, values: Iterable[str]) -> str:
        pieces = self._with_gaps.copy()
        pieces[1::2] = values
        return "".join(pieces)


def parse(text: str) -> Template:
    """The template of a text; raises TemplateError at the first `{{` that opens no field."""
    literals: list[str] = []
    fields: list[str] = []
    literal_start = end = 0
    while opening := _OPENING.search(text, end):
        end = opening.end()
        if opening[0] == _ESCAPED:
            continue
        field = FIELD.match(text, opening.start())
        if field is None:
            raise TemplateError(*_position(text, opening.start()))
        literals.append(_literal(text[literal_start : field.start()]))
        fields.append(field[1])
        literal_start = end = field.end()
    literals.append(_literal(text[literal_start:]))
    return Template(tuple(literals), tuple(fields))


def _literal(text: str) -> str:
    return text.replace(_ESCAPED, "{{")


def _position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
