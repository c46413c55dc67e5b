"""Query parameters that a call does not know are refused: a mistyped filter filters nothing."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from postroom.domain.problem import FieldError, invalid

Given = Iterable[tuple[str, Sequence[str]]]
"""Each parameter of a call with all its values."""


def check_query(given: Given, known: Collection[str]) -> None:
    """Raises Problem (422) for parameters that are unknown or given twice, and names each."""
    errors = list(_errors(given, known))
    if errors:
        raise invalid(f"{errors[0].field}: {errors[0].detail}", *errors)


def _errors(given: Given, known: Collection[str]) -> Iterator[FieldError]:
    names = ", ".join(known) or "none"
    for name, values in given:
        if name not in known:
            yield FieldError(name, f"is no parameter of this address; it takes {names}")
        elif len(values) > 1:
            yield FieldError(name, "is given twice")
