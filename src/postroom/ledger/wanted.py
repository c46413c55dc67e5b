"""Which deliveries are asked for, and the statement part that finds one page of them.

Conditions are put so that the index that fits the question is read, and no more partitions than
it needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.ledger.as_of import REASON_NOW, STATE_NOW
from postroom.ledger.db import Connection
from postroom.ledger.ids import bounds, floor_of
from postroom.ledger.newest import page_of_newest
from postroom.ledger.selecting import Selection

Applications = Sequence[int] | None
"""The applications whose rows may be seen; None: all of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries; None says nothing about that property."""

    applications: Applications = None
    id: UUID | None = None
    message_id: UUID | None = None
    recipient_key: str | None = None
    communication: str | None = None
    header_message_id: str | None = None
    """The Message-ID of the mail as it was submitted, with `<` and `>`."""
    mail_from: str | None = None
    """The envelope's sender as it was submitted."""
    since: datetime | None = None
    """Accepted at or after."""
    until: datetime | None = None
    """Accepted before."""
    state: str | None = None
    reason: str | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether it says more of the deliveries than which messages they are of."""
        named = (self.id, self.message_id, self.recipient_key, self.communication)
        return any(one is not None for one in (*named, self.state, self.reason))


def page_of(
    conn: Connection, wanted: Wanted, before: UUID | None, limit: int, at: datetime | None
) -> tuple[str, dict[str, Any]]:
    """The statement part `page` and its values, by the index that fits the question."""
    if wanted.applications is not None and not wanted.is_narrow:
        messages = Selection()
        _add_message(messages, "message", wanted, at)
        return page_of_newest(conn, messages, before, limit)
    page = _selection(conn, wanted, before, at)
    return page_where(page), page.values | {"limit": limit}


def _selection(
    conn: Connection, wanted: Wanted, before: UUID | None, at: datetime | None
) -> Selection:
    page = Selection()
    page.equal("delivery.id", wanted.id)
    page.equal("delivery.message_id", wanted.message_id)
    page.equal("delivery.recipient_key", wanted.recipient_key)
    if wanted.communication is not None:
        _add_communication(conn, page, wanted.communication, wanted.applications)
    if before is not None:
        page.add("delivery.id < %(before)s", before=before)
    if wanted.state is not None:
        page.add(f"{STATE_NOW} = %(state)s", state=wanted.state)
    if wanted.reason is not None:
        page.add(f"{REASON_NOW} = %(reason)s", reason=wanted.reason)
    _add_message(page, "delivery", wanted, at)
    return page


def _add_message(selection: Selection, table: str, wanted: Wanted, at: datetime | None) -> None:
    """What is said of the message; `table` has the id and the application that are compared."""
    selection.equal("message.header_message_id", wanted.header_message_id)
    selection.equal("message.mail_from", wanted.mail_from)
    applications = wanted.applications
    if applications is not None and len(applications) == 1:
        # By equality where that will do: only then is the index read in order.
        selection.equal(f"{table}.application_id", applications[0])
    elif applications is not None:
        selection.add(f"{table}.application_id = ANY(%(apps)s)", apps=list(applications))
    _add_times(selection, table, wanted, at)


def _add_communication(
    conn: Connection, page: Selection, name: str, applications: Applications
) -> None:
    """By id, and by equality where there is one: only then is the index read in order."""
    rows = conn.execute(
        "SELECT id FROM communication"
        " WHERE name = %(name)s AND (%(apps)s::int[] IS NULL OR application_id = ANY(%(apps)s))",
        {"name": name, "apps": None if applications is None else list(applications)},
    ).fetchall()
    ids = [id for (id,) in rows]
    if len(ids) == 1:
        page.add("delivery.communication_id = %(communication)s", communication=ids[0])
    else:
        page.add("delivery.communication_id = ANY(%(communications)s)", communications=ids)


def _add_times(selection: Selection, table: str, wanted: Wanted, at: datetime | None) -> None:
    """Ids carry the time of acceptance in milliseconds, which is what keeps out partitions."""
    if wanted.since is not None:
        selection.add(
            f"{table}.id >= %(since_id)s AND message.accepted_at >= %(since)s",
            since_id=floor_of(wanted.since),
            since=wanted.since,
        )
    if wanted.until is not None:
        selection.add(
            f"{table}.id <= %(until_id)s AND message.accepted_at < %(until)s",
            until_id=_last_of(wanted.until),
            until=wanted.until,
        )
    if at is not None:
        selection.add(
            f"{table}.id <= %(at_id)s AND message.accepted_at <= %(at)s", at_id=_last_of(at), at=at
        )


def _last_of(at: datetime) -> UUID:
    """The largest id of an instant."""
    return bounds([floor_of(at)])[1]


def page_where(selection: Selection) -> str:
    """The statement part `page`: the newest deliveries that meet the conditions."""
    return f"""
page AS MATERIALIZED (
    SELECT delivery.*, message.subject, message.accepted_at, message.send_at
      FROM delivery
      JOIN message ON message.id = delivery.message_id
     WHERE {selection.where}
     ORDER BY delivery.id DESC
     LIMIT %(limit)s
)"""
