"""How a command says that it cannot do what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """The command cannot do that; the message says why, and what to do instead."""


@contextmanager
def of_values() -> Iterator[None]:
    """Turns the ValueError by which a ledger function declines its arguments into a Refusal."""
    try:
        yield
    except ValueError as error:
        raise Refusal(str(error)) from error
