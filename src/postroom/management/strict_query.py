"""Lets every route of the API refuse query parameters that it does not know."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja.params.models import Query

from postroom.domain.query import check_query

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
        check_query(request.GET.lists(), known)
        return view(request, *args, **named)

    return checked
