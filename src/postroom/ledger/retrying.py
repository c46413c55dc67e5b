"""Two transactions that lock the same rows may be told to start over; this does."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from postroom.ledger.db import LedgerContended

P = ParamSpec("P")
R = TypeVar("R")

TRIES_MAX = 5


def again_on_deadlock(write: Callable[P, R]) -> Callable[P, R]:
    """`write`, one whole transaction, made again when PostgreSQL breaks a deadlock."""

    @wraps(write)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(TRIES_MAX - 1):
            try:
                return write(*args, **kwargs)
            except LedgerContended:
                continue
        return write(*args, **kwargs)

    return wrapper
