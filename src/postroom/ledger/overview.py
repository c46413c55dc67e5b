"""Messages and communications, as lists and one by one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.domain.delivery import ANSWERS, Answer
from postroom.domain.lane import Lane, lane_notes
from postroom.ledger.as_of import STATE_NOW
from postroom.ledger.db import Connection, connection
from postroom.ledger.selecting import Selection
from postroom.ledger.wanted import Applications


@dataclass(slots=True)
class Message:
    """What was submitted, once."""

    id: UUID
    application: str
    communication: str | None
    door: str
    simulated: bool
    lane: Lane
    asked_lane: Lane | None
    """The lane that was asked for; None: the one in which it goes."""
    kind: str
    critical: bool
    """Went in spite of suppressions."""
    from_address: str
    mail_from: str | None
    subject: str
    header_message_id: str | None
    on_doubt: str
    tags: list[str]
    metadata: dict[str, Any]
    recipients: int
    duplicates: int
    accepted_at: datetime
    send_at: datetime | None
    expires_at: datetime | None
    resend_of: UUID | None
    states: dict[str, int] = field(default_factory=dict)
    """Deliveries by state."""
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What became otherwise than was asked for, in sentences."""
        return lane_notes(self.lane, self.asked_lane)


@dataclass(frozen=True, slots=True)
class Communication:
    """One named occasion to write."""

    id: int
    application: str
    name: str
    created_at: datetime
    latest_message_at: datetime | None
    latest_subject: str | None
    paused_at: datetime | None
    """Since when nothing more of it, or of its application, is handed over; None: it goes on."""


_MESSAGE = """
SELECT message.id, application.name, communication.name, door, simulated, lane, asked_lane,
       kind, critical, from_address, mail_from, subject, header_message_id, on_doubt, tags,
       metadata, recipients, duplicates, accepted_at, send_at, message.expires_at, resend_of
  FROM message
  JOIN application ON application.id = message.application_id
  LEFT JOIN communication ON communication.id = message.communication_id
"""


def message(id: UUID, applications: Applications = None) -> Message | None:
    """One message with its deliveries counted; None when these applications may see none."""
    chosen = _of(applications, "message.application_id")
    chosen.equal("message.id", id)
    with connection() as conn:
        row = conn.execute(f"{_MESSAGE} WHERE {chosen.where}", chosen.values).fetchone()
        if row is None:
            return None
        made = _message(row)
        _count(conn, made)
    return made


def _of(applications: Applications, column: str) -> Selection:
    """What these applications may see."""
    chosen = Selection()
    if applications is not None:
        chosen.add(f"{column} = ANY(%(apps)s)", apps=list(applications))
    return chosen


def _message(row: tuple[Any, ...]) -> Message:
    asked_lane = None if row[6] is None else Lane(row[6])
    values: list[Any] = [*row[:5], Lane(row[5]), asked_lane, *row[7:]]
    return Message(*values)


def _count(conn: Connection, made: Message) -> None:
    rows: Iterable[tuple[str, int]] = conn.execute(
        f"SELECT {STATE_NOW}, count(*) FROM delivery WHERE message_id = %s GROUP BY 1", (made.id,)
    )
    made.states = dict.fromkeys(map(str, ANSWERS), 0)
    made.answers = dict.fromkeys(map(str, Answer), 0)
    for state, count in rows:
        made.states[state] = count
        made.answers[ANSWERS[state]] += count


def communications(
    *, applications: Applications, before: int | None = None, limit: int
) -> list[Communication]:
    """Communications, the latest made first."""
    chosen = _of(applications, "application_id")
    if before is not None:
        chosen.add("communication.id < %(before)s", before=before)
    with connection() as conn:
        rows = conn.execute(
            "SELECT communication.id, application.name, communication.name,"
            "       communication.created_at, latest.accepted_at, latest.subject,"
            "       LEAST(communication.paused_at, application.paused_at)"
            "  FROM communication"
            "  JOIN application ON application.id = application_id"
            "  LEFT JOIN LATERAL ("
            "       SELECT accepted_at, subject FROM message"
            "        WHERE communication_id = communication.id"
            "        ORDER BY message.id DESC LIMIT 1) AS latest ON true"
            f" WHERE {chosen.where}"
            " ORDER BY communication.id DESC LIMIT %(limit)s",
            chosen.values | {"limit": limit},
        )
        return [Communication(*row) for row in rows]


def applications_with(communication: str) -> list[tuple[int, str]]:
    """(id, name) of the applications that have a communication of this name."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT application.id, application.name"
            "  FROM communication"
            "  JOIN application ON application.id = application_id"
            " WHERE communication.name = %s"
            " ORDER BY application.name",
            (communication,),
        )
        return [(id, name) for id, name in rows]


def message_ids(application_id: int, communication: str) -> list[UUID]:
    """The messages of a communication so far, in the order of their coming."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT message.id"
            "  FROM message"
            "  JOIN communication ON communication.id = communication_id"
            " WHERE communication.application_id = %s AND communication.name = %s"
            " ORDER BY message.id",
            (application_id, communication),
        )
        return [id for (id,) in rows]


def application_of(message_id: UUID) -> int | None:
    """The application that submitted the message; None when there is no such message."""
    with connection() as conn:
        row = conn.execute(
            "SELECT application_id FROM message WHERE id = %s", (message_id,)
        ).fetchone()
    return None if row is None else int(row[0])
