"""New messages and their deliveries: the one statement set that acceptance is made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType, Stage
from postroom.ledger import canaries, idempotency, urgent
from postroom.ledger.acceptance import (
    Acceptance,
    IdempotencyConflict,
    KeyRevoked,
    NewDelivery,
    NewMessage,
)
from postroom.ledger.blobs import compress, digest_of
from postroom.ledger.db import Connection
from postroom.ledger.drafts import Draft, Outcome
from postroom.ledger.ids import uuid7_batch
from postroom.ledger.keys import note_use
from postroom.ledger.local_events import FIRST, NewLocalEvent, insert_local_events
from postroom.ledger.recordset import named_rows_json, rows_of
from postroom.ledger.stops import Stop, in_force

Result = Acceptance | IdempotencyConflict | KeyRevoked


def write_messages(conn: Connection, messages: Sequence[NewMessage], now: datetime) -> list[Result]:
    """One result per message, in order; exceptions are returned, not raised."""
    live_keys = _live_keys(conn, messages)
    results: dict[int, Result] = {}
    drafts: dict[int, Draft] = {}
    for position, new in enumerate(messages):
        if new.key_id is not None and new.key_id not in live_keys:
            results[position] = KeyRevoked()
        else:
            drafts[position] = _draft(new, now)
    _find_suppressions(conn, drafts.values())
    won = idempotency.winners(conn, drafts.values())
    urgent.choose_lanes(conn, won)
    idempotency.correct(conn, won)
    _find_communications(conn, won)
    _insert(conn, won, now)
    results |= _answers(conn, drafts, {draft.id for draft in won})
    return [results[position] for position in range(len(messages))]


def _answers(conn: Connection, drafts: Mapping[int, Draft], won: set[UUID]) -> dict[int, Result]:
    """Of those that were written their own, of the others what was answered before."""
    lost = {position: draft for position, draft in drafts.items() if draft.id not in won}
    written = {p: draft.acceptance() for p, draft in drafts.items() if p not in lost}
    return {**written, **idempotency.replays(conn, lost)}


def _live_keys(conn: Connection, messages: Sequence[NewMessage]) -> set[str]:
    """Keys that are valid at the commit, so that a revoked one never slips through a cache."""
    wanted = {new.key_id for new in messages if new.key_id is not None}
    if not wanted:
        return set()
    rows = conn.execute(
        "SELECT id FROM key"
        " WHERE id = ANY(%s) AND revoked_at IS NULL"
        "   AND (expires_at IS NULL OR expires_at > now())",
        (list(wanted),),
    )
    live = {id for (id,) in rows}
    note_use(conn, live)
    return live


def _draft(new: NewMessage, now: datetime) -> Draft:
    ids = uuid7_batch(now, 1 + len(new.deliveries))
    outcomes: list[Outcome] = [(one.stage, one.reason, None) for one in new.deliveries]
    return Draft(new, ids[0], ids[1:], outcomes)


def _find_suppressions(conn: Connection, drafts: Iterable[Draft]) -> None:
    """Stops what is suppressed; critical mail is not even looked up, for nothing stops it."""
    stoppable = [draft for draft in drafts if not draft.new.critical]
    for simulated in (False, True):
        alike = [draft for draft in stoppable if draft.new.simulated is simulated]
        keys = {to.recipient_key for draft in alike for to in draft.new.deliveries}
        found = in_force(conn, simulated, keys)
        if found:
            for draft in alike:
                draft.outcomes = [_outcome(to, draft.new, found) for to in draft.new.deliveries]


def _outcome(
    delivery: NewDelivery, new: NewMessage, found: Mapping[str, Sequence[Stop]]
) -> Outcome:
    stops = found.get(delivery.recipient_key, ())
    if delivery.stage is not Stage.REJECTED:
        for stop in stops:
            if stop.stops(new.application_id, new.kind):
                return Stage.SUPPRESSED, "suppressed_by_us", stop.id
    return delivery.stage, delivery.reason, None


def _find_communications(conn: Connection, drafts: Sequence[Draft]) -> None:
    named = {
        (draft.new.application_id, draft.new.communication)
        for draft in drafts
        if draft.new.communication is not None
    }
    if not named:
        return
    applications, names = map(list, zip(*sorted(named), strict=True))
    known = _communication_ids(conn, applications, names)
    if len(known) < len(named):
        conn.execute(
            "INSERT INTO communication (application_id, name)"
            " SELECT * FROM unnest(%s::int[], %s::text[])"
            " ON CONFLICT (application_id, name) DO NOTHING",
            (applications, names),
        )
        known = _communication_ids(conn, applications, names)
    for draft in drafts:
        if draft.new.communication is not None:
            draft.communication_id = known[draft.new.application_id, draft.new.communication]


def _communication_ids(
    conn: Connection, applications: list[int], names: list[str]
) -> dict[tuple[int, str], int]:
    rows = conn.execute(
        "SELECT application_id, name, id"
        "  FROM unnest(%s::int[], %s::text[]) AS wanted (application_id, name)"
        "  JOIN communication USING (application_id, name)",
        (applications, names),
    )
    return {(application_id, name): id for application_id, name, id in rows}


_MESSAGE_COLUMNS = {
    "id": "uuid",
    "application_id": "int",
    "communication_id": "bigint",
    "key_id": "text",
    "door": "text",
    "simulated": "bool",
    "lane": "smallint",
    "asked_lane": "smallint",
    "kind": "text",
    "critical": "bool",
    "from_address": "text",
    "mail_from": "text",
    "subject": "text",
    "header_message_id": "text",
    "on_doubt": "text",
    "tags": "text[]",
    "metadata": "jsonb",
    "notify": "jsonb",
    "recipients": "int",
    "duplicates": "int",
    "submission_digest": "bytea",
    "accepted_at": "timestamptz",
    "send_at": "timestamptz",
    "expires_at": "timestamptz",
    "resend_of": "uuid",
}
_BLOB_COLUMNS = {"size_bytes": "int", "zlib": "bytea"}
_DELIVERY_COLUMNS = {
    "id": "uuid",
    "recipient": "text",
    "recipient_key": "text",
    "recipient_name": "text",
    "ref": "text",
    "vars": "jsonb",
    "metadata": "jsonb",
    "stage": "text",
    "reason": "text",
    "reason_text": "text",
    "suppression_id": "bigint",
    "local_events": "smallint",
}

_NAMES = ", ".join(_MESSAGE_COLUMNS)
_OWN_NAMES = ", ".join(_DELIVERY_COLUMNS)

# Messages with their bytes and their deliveries, in one round trip.
_INSERT = (
    "WITH new AS MATERIALIZED ("
    f"   SELECT * FROM {rows_of(_MESSAGE_COLUMNS | _BLOB_COLUMNS | {'deliveries': 'json'}, 'new')}"
    " ), messages AS ("
    f"   INSERT INTO message ({_NAMES})"
    f"   SELECT {_NAMES} FROM new"
    " ), blobs AS ("
    "    INSERT INTO blob (message_id, digest, size_bytes, zlib)"
    "    SELECT id, submission_digest, size_bytes, zlib FROM new"
    " )"
    f" INSERT INTO delivery ({_OWN_NAMES}, message_id, application_id, communication_id,"
    "                        simulated, lane, due_at, expires_at, changed_at)"
    f" SELECT {', '.join(f'delivery.{name}' for name in _DELIVERY_COLUMNS)}, new.id,"
    "         application_id, communication_id, simulated, lane,"
    "         COALESCE(send_at, accepted_at), expires_at, accepted_at"
    "   FROM new"
    f"  CROSS JOIN LATERAL {rows_of(_DELIVERY_COLUMNS, 'delivery', 'deliveries')}"
)


def _insert(conn: Connection, drafts: Sequence[Draft], now: datetime) -> None:
    if drafts:
        conn.execute(_INSERT, (named_rows_json([_row(draft, now) for draft in drafts]),))
        canaries.keep(conn, drafts)
        insert_local_events(conn, [event for draft in drafts for event in _events(draft)], now)


def _row(draft: Draft, now: datetime) -> dict[str, object]:
    new = draft.new
    return {
        "id": draft.id,
        "application_id": new.application_id,
        "communication_id": draft.communication_id,
        "key_id": new.key_id,
        "door": new.door,
        "simulated": new.simulated,
        "lane": draft.lane,
        "asked_lane": draft.asked_lane,
        "kind": new.kind,
        "critical": new.critical,
        "from_address": new.from_address,
        "mail_from": new.mail_from,
        "subject": new.subject,
        "header_message_id": new.header_message_id,
        "on_doubt": draft.on_doubt,
        "tags": new.tags,
        "metadata": new.metadata,
        "notify": new.notify,
        "recipients": len(new.deliveries),
        "duplicates": new.duplicates,
        "submission_digest": digest_of(new.submission),
        "accepted_at": now,
        "send_at": new.send_at,
        "expires_at": new.expires_at,
        "resend_of": new.resend_of,
        "size_bytes": len(new.submission),
        "zlib": compress(new.submission),
        "deliveries": list(map(_delivery_row, draft.delivery_ids, new.deliveries, draft.outcomes)),
    }


def _delivery_row(id: UUID, delivery: NewDelivery, outcome: Outcome) -> dict[str, object]:
    """What differs among the deliveries of a message."""
    stage, reason, suppression_id = outcome
    return {
        "id": str(id),
        "recipient": delivery.recipient,
        "recipient_key": delivery.recipient_key,
        "recipient_name": delivery.recipient_name,
        "ref": delivery.ref,
        "vars": delivery.vars or None,
        "metadata": delivery.metadata or None,
        "stage": stage,
        "reason": reason,
        "reason_text": delivery.reason_text,
        "suppression_id": suppression_id,
        "local_events": 1 if stage in _RECORDED else 0,
    }


_RECORDED = {
    Stage.HELD: EventType.HELD,
    Stage.REJECTED: EventType.REJECTED,
    Stage.SUPPRESSED: EventType.SUPPRESSED,
}
"""Stages at acceptance that are an event too."""


def _events(draft: Draft) -> Iterator[NewLocalEvent]:
    made = zip(draft.delivery_ids, draft.new.deliveries, draft.outcomes, strict=True)
    for id, delivery, (stage, reason, _) in made:
        if stage in _RECORDED:
            yield NewLocalEvent(id, FIRST, _RECORDED[stage], reason, delivery.reason_text)
