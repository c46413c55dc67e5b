"""Empties the database between tests, and what processes remember of it."""

from django.db import connection

from postroom.feedback import keeping
from postroom.ledger import keys

_KEPT = ("django_migrations", "django_content_type", "auth_permission")


def empty() -> None:
    """Empties every table that holds anything, starts its numbers anew, and forgets its rows."""
    keys._remembered.clear()
    keeping.forget()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            "   AND pg_relation_size(oid) > 0 AND relname <> ALL(%s)",
            [list(_KEPT)],
        )
        filled = ", ".join(connection.ops.quote_name(name) for (name,) in cursor.fetchall())
        if filled:
            cursor.execute(f"TRUNCATE {filled} RESTART IDENTITY CASCADE")
