"""The ledger's clock: the one place where this room reads the time."""

from datetime import UTC, datetime

TODAY = "(now() AT TIME ZONE 'UTC')::date"
"""SQL: the day by which limits and quotas count."""


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
