"""Mail in the ledger without its way through a door: one real message, copied by SQL."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import psycopg

from postroom.domain.lane import Lane

TEXT = "The new prices are in force from Monday, and the list is attached. " * 15
SUBMISSION = {
    "from": "Shop <shop@example.org>",
    "subject": "New prices",
    "text": TEXT,
    "html": f"<p>{TEXT}</p>",
}
"""A mail of 2 kB."""


def connect() -> psycopg.Connection:
    """A connection to the database of the rig."""
    from django.conf import settings

    return psycopg.connect(settings.POSTROOM_DATABASE_DSN)


@contextmanager
def accounts_in_use(provider: str, *each: Mapping[str, str]) -> Iterator[list[int]]:
    """The numbers of new simulated accounts with these settings, the only ones in use."""
    from postroom.ledger import accounts

    for row in accounts.usable(True):
        accounts.stop(row.id, "not measured now")
    for number, settings in enumerate(each):
        accounts.add(f"bench-{number}-{time.monotonic_ns()}", provider, True, settings)
    ids = [row.id for row in accounts.usable(True)]
    try:
        yield ids
    finally:
        for id in ids:
            accounts.stop(id, "measured")


def queue_mail(
    messages: int,
    recipients: int,
    lane: Lane = Lane.BULK,
    communication: str | None = None,
    data: bytes | None = None,
) -> None:
    """So many due messages, each to so many different recipients; all appear at once.

    `data`: what they are instead of `SUBMISSION`, as it came by SMTP.
    """
    with connect() as conn:
        copy_message(conn, _template(lane, communication, data), messages, recipients)


def _template(lane: Lane, communication: str | None, data: bytes | None) -> UUID:
    """A message whose only delivery is held, for nobody is to get it."""
    from postroom.domain.delivery import Stage
    from postroom.ledger.acceptance import NewDelivery
    from tests.ledger import making

    held = NewDelivery("held@example.com", "held@example.com", stage=Stage.HELD, reason="asked")
    new = making.new_message(
        making.application("bench"),
        door="http" if data is None else "smtp",
        mail_from=None if data is None else "shop@example.org",
        submission=json.dumps(SUBMISSION).encode() if data is None else data,
        lane=lane,
        communication=communication,
        deliveries=[held],
    )
    return making.accept(new).message_id


def copy_message(conn: psycopg.Connection, template: UUID, messages: int, recipients: int) -> None:
    """Copies of the message and its content, and queued ones of its delivery."""
    conn.execute(
        "CREATE TEMP TABLE fresh ON COMMIT DROP AS"
        " SELECT uuidv7() AS message_id FROM generate_series(1, %s)",
        (messages,),
    )
    message = {"id": "fresh.message_id", "recipients": str(recipients)}
    delivery = {
        "id": "uuidv7()",
        "message_id": "fresh.message_id",
        "recipient": "'p' || n || '@example.com'",
        "recipient_key": "'p' || n || '@example.com'",
        "stage": "'queued'",
        "reason": "NULL",
        "local_events": "0",
        "due_at": "now()",
        "changed_at": "now()",
    }
    many = f"CROSS JOIN generate_series(1, {recipients}) AS n"
    copy_rows(conn, "message", message, "source.id = %s", template)
    copy_rows(conn, "blob", {"message_id": "fresh.message_id"}, "source.message_id = %s", template)
    copy_rows(conn, "delivery", delivery, "source.message_id = %s", template, many)


def copy_rows(
    conn: psycopg.Connection,
    table: str,
    values: Mapping[str, str],
    which: str,
    key: object,
    many: str = "",
) -> None:
    """Copies of rows for each row of `fresh`, with these values (SQL) in some columns."""
    found = conn.execute(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        (table,),
    )
    columns = [name for (name,) in found]
    taken = ", ".join(values.get(name, f"source.{name}") for name in columns)
    conn.execute(
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {taken} FROM {table} AS source CROSS JOIN fresh {many} WHERE {which}",
        (key,),
    )


def empty_queue() -> None:
    """Cancel all that waits, for the rows that are measured later."""
    with connect() as conn:
        conn.execute("UPDATE delivery SET stage = 'cancelled' WHERE stage = 'queued'")


def is_settled(conn: psycopg.Connection) -> bool:
    """Whether nothing is due or under way, simulated or not."""
    [(busy,)] = conn.execute(
        "SELECT EXISTS (SELECT FROM delivery WHERE stage IN ('queued', 'submitting'))"
    )
    conn.commit()
    return not busy
