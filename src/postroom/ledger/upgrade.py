"""Upgrades of the schema, one at a time over all machines."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_LOCK = 0x7570_6772  # one upgrade at a time, over all processes


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds a lock of the database, after waiting for whoever upgrades it now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
