"""Query parameters that a route does not know are refused: a mistyped filter filters nothing."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from django.http import HttpRequest, QueryDict
from ninja.params.models import Query

from postroom.domain.problem import FieldError, invalid

View = Callable[..., Any]


def strict_query(view: View) -> View:
    """The view, behind a 422 for parameters that are unknown or given twice.

    It knows those of its arguments whose default is a `Query(...)`.
    """
    known = [
        name
        for name, argument in inspect.signature(view).parameters.items()
        if isinstance(argument.default, Query)
    ]

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **named: Any) -> Any:
        errors = list(_errors(request.GET, known))
        if errors:
            raise invalid(f"{errors[0].field}: {errors[0].detail}", *errors)
        return view(request, *args, **named)

    return checked


def _errors(query: QueryDict, known: Sequence[str]) -> Iterator[FieldError]:
    names = ", ".join(known) or "none"
    for name, values in query.lists():
        if name not in known:
            yield FieldError(name, f"is no parameter of this address; it takes {names}")
        elif len(values) > 1:
            yield FieldError(name, "is given twice")
