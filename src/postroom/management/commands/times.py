"""Instants on the command line."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime


def instant(text: str) -> datetime:
    """An aware instant from ISO 8601; without an offset it is UTC."""
    from postroom.reports.parameters import parse_instant

    try:
        return parse_instant(text, assumed=UTC)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} {error}") from None
