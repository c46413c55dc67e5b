"""What hits were, by a person or a machine: read together with the others of their copy."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.domain.delivery import VERDICTS, EventType, Grade, grade_of
from postroom.domain.engagement import RULES_VERSION, Hit, Judgement
from postroom.ledger.db import Connection
from postroom.ledger.recordset import rows_json, rows_of

WORD = "hit"
"""The `provider_type` and `basis` of these events: no provider told them."""
REQUESTS = (EventType.UNSUBSCRIBED, EventType.RESUBSCRIBED)
"""What a person asks for by a hit."""

Judge = Callable[[Sequence[Hit], datetime], Sequence[Judgement]]
"""What each hit of one copy was, given when it was handed over; pure."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A recorded hit, and how it is judged so far."""

    delivery_id: UUID
    digest: bytes
    handover_id: UUID
    begun_at: datetime
    type: str
    method: str
    url: str
    address: str | None
    agent: str | None
    at: datetime
    rules: int
    judgement: Judgement | None
    """None: not judged yet."""

    def as_hit(self) -> Hit:
        """As the rules look at it."""
        earlier = self.judgement if self.agent is None else None
        return Hit(
            self.at,
            self.method,
            self.url,
            self.address,
            self.agent or "",
            earlier,
            is_request=self.type in REQUESTS,
        )

    def is_judged(self, judgement: Judgement) -> bool:
        """Whether this is how it is read already, by today's rules."""
        return (self.judgement, self.rules) == (judgement, RULES_VERSION)


Judged = tuple[Kept, Judgement]


def read_anew(conn: Connection, deliveries: Collection[UUID], judged: Judge) -> list[Judged]:
    """Write what each hit of these deliveries was; gives those that were not judged before."""
    by_copy: dict[UUID, list[Kept]] = {}
    for one in _kept(conn, deliveries):
        by_copy.setdefault(one.handover_id, []).append(one)
    found: list[Judged] = []
    for copy in by_copy.values():
        judgements = judged([one.as_hit() for one in copy], copy[0].begun_at)
        found += zip(copy, judgements, strict=True)
    _write(conn, [pair for pair in found if not pair[0].is_judged(pair[1])])
    _anonymise(conn, deliveries)
    return [(one, it) for one, it in found if one.judgement is None]


def _kept(conn: Connection, deliveries: Collection[UUID]) -> Iterator[Kept]:
    rows = conn.execute(
        "SELECT event.delivery_id, digest, handover_id, begun_at, type, provider_class,"
        "       COALESCE(url, ''), remote_host, user_agent, received_at, rules, machine,"
        "       reason_basis"
        "  FROM event"
        "  JOIN handover ON handover.id = handover_id"
        " WHERE event.delivery_id = ANY(%s) AND provider_type = %s",
        (list(deliveries), WORD),
    )
    for *words, machine, rule in rows:
        judgement = None if rule is None else Judgement(machine, rule)
        yield Kept(*(*words, judgement))


_READING = {
    "delivery_id": "uuid",
    "digest": "bytea",
    "machine": "bool",
    "grade": "smallint",
    "verdict": "text",
    "reason_basis": "text",
    "rules": "smallint",
}
_REWRITE = (
    "UPDATE event"
    "   SET machine = read.machine, grade = read.grade, verdict = read.verdict,"
    "       reason_basis = read.reason_basis, rules = read.rules"
    f" FROM {rows_of(_READING, 'read')}"
    # `= ANY` beside the join keeps the plan to index look-ups on the partitions concerned.
    " WHERE event.delivery_id = read.delivery_id AND event.digest = read.digest"
    "   AND event.delivery_id = ANY(%s)"
)


def _write(conn: Connection, changed: Sequence[Judged]) -> None:
    if changed:
        ids = [one.delivery_id for one, _ in changed]
        conn.execute(_REWRITE, (rows_json(_READING, [_reading(*one) for one in changed]), ids))


def _reading(one: Kept, judgement: Judgement) -> tuple[Any, ...]:
    type = EventType(one.type)
    grade = grade_of(type, judgement.machine)
    return (
        one.delivery_id,
        one.digest,
        judgement.machine,
        int(grade),
        None if grade is Grade.NONE else str(VERDICTS[type]),
        judgement.rule,
        RULES_VERSION,
    )


def _anonymise(conn: Connection, deliveries: Collection[UUID]) -> None:
    """Drop who came, where the application wants that, now that it is judged."""
    conn.execute(
        "UPDATE event SET remote_host = NULL, user_agent = NULL"
        " WHERE delivery_id = ANY(ARRAY("
        "          SELECT delivery.id"
        "            FROM delivery"
        "            JOIN application ON application.id = application_id"
        "           WHERE delivery.id = ANY(%s) AND anonymous_hits))"
        "   AND provider_type = %s AND user_agent IS NOT NULL",
        (list(deliveries), WORD),
    )
