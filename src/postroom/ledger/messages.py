"""New messages and their deliveries: the one statement set that acceptance is made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.domain.delivery import EventType, Stage
from postroom.ledger.acceptance import (
    DELIVERIES_LISTED_MAX,
    Acceptance,
    Idempotency,
    IdempotencyConflict,
    KeyRevoked,
    NewDelivery,
    NewMessage,
)
from postroom.ledger.blobs import compress, digest_of
from postroom.ledger.copying import json_text
from postroom.ledger.db import Connection, connection
from postroom.ledger.ids import uuid7_batch
from postroom.ledger.keys import note_use
from postroom.ledger.local_events import FIRST, NewLocalEvent, insert_local_events
from postroom.ledger.recordset import named_rows_json, rows_of
from postroom.ledger.suppressions import Standing, standing_with

Result = Acceptance | IdempotencyConflict | KeyRevoked


_Outcome = tuple[Stage, str | None, int | None]
"""Stage, reason and standing suppression of one delivery at acceptance."""


@dataclass(slots=True)
class _Draft:
    """A message that is about to be written."""

    new: NewMessage
    id: UUID
    delivery_ids: list[UUID]
    outcomes: list[_Outcome]
    """Of each delivery, in order."""
    communication_id: int | None = None

    def acceptance(self) -> Acceptance:
        listed: Iterable[tuple[UUID, NewDelivery, _Outcome]] = ()
        if len(self.outcomes) <= DELIVERIES_LISTED_MAX:
            listed = zip(self.delivery_ids, self.new.deliveries, self.outcomes, strict=True)
        return Acceptance(
            message_id=self.id,
            communication=self.new.communication,
            recipients=len(self.outcomes),
            suppressed=sum(stage is Stage.SUPPRESSED for stage, _, _ in self.outcomes),
            duplicates=self.new.duplicates,
            deliveries=[(id, one.recipient, str(stage)) for id, one, (stage, _, _) in listed],
        )


def write_messages(conn: Connection, messages: Sequence[NewMessage], now: datetime) -> list[Result]:
    """One result per message, in order; exceptions are returned, not raised."""
    live_keys = _live_keys(conn, messages)
    results: dict[int, Result] = {}
    drafts: dict[int, _Draft] = {}
    for position, new in enumerate(messages):
        if new.key_id is not None and new.key_id not in live_keys:
            results[position] = KeyRevoked()
        else:
            drafts[position] = _draft(new, now)
    _find_suppressions(conn, drafts.values())
    results |= _claim_idempotency_keys(conn, drafts)
    won = [draft for position, draft in drafts.items() if position not in results]
    _find_communications(conn, won)
    _insert(conn, won, now)
    results |= {p: draft.acceptance() for p, draft in drafts.items() if p not in results}
    return [results[position] for position in range(len(messages))]


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


def _draft(new: NewMessage, now: datetime) -> _Draft:
    ids = uuid7_batch(now, 1 + len(new.deliveries))
    outcomes: list[_Outcome] = [(one.stage, one.reason, None) for one in new.deliveries]
    return _Draft(new, ids[0], ids[1:], outcomes)


def _find_suppressions(conn: Connection, drafts: Iterable[_Draft]) -> None:
    for simulated in (False, True):
        same_kind = [draft for draft in drafts if draft.new.simulated is simulated]
        keys = {delivery.recipient_key for draft in same_kind for delivery in draft.new.deliveries}
        standing = standing_with(conn, simulated, keys)
        if standing:
            for draft in same_kind:
                draft.outcomes = [_outcome(one, standing) for one in draft.new.deliveries]


def _outcome(delivery: NewDelivery, suppressed: Mapping[str, Standing]) -> _Outcome:
    standing = suppressed.get(delivery.recipient_key)
    if standing is None or delivery.stage is Stage.REJECTED:
        return delivery.stage, delivery.reason, None
    return Stage.SUPPRESSED, "suppressed_by_us", standing.id


def _claim_idempotency_keys(conn: Connection, drafts: dict[int, _Draft]) -> dict[int, Result]:
    """The results of those submissions that were made before; the others have won their key."""
    contenders = {position: draft for position, draft in drafts.items() if draft.new.idempotency}
    if not contenders:
        return {}
    firsts: dict[tuple[int, str], _Draft] = {}
    for draft in contenders.values():
        firsts.setdefault(_idempotency_key(draft), draft)
    _insert_keys(conn, [firsts[key] for key in sorted(firsts)])
    held = _read_keys(conn, firsts)
    return {
        position: _replay(_claim(draft), *held[_idempotency_key(draft)])
        for position, draft in contenders.items()
        if held[_idempotency_key(draft)][0] != draft.id
    }


def _idempotency_key(draft: _Draft) -> tuple[int, str]:
    return draft.new.application_id, _claim(draft).key


def _claim(draft: _Draft) -> Idempotency:
    if draft.new.idempotency is None:
        raise LookupError("this submission has no idempotency key")
    return draft.new.idempotency


def _insert_keys(conn: Connection, drafts: Sequence[_Draft]) -> None:
    """Sorted, so that two commits that share keys wait for one another in one order."""
    claims = [_claim(draft) for draft in drafts]
    conn.execute(
        "INSERT INTO idempotency AS held"
        "       (application_id, key, message_id, body_digest, answer, expires_at)"
        " SELECT application_id, key, message_id, body_digest, answer,"
        "        now() + make_interval(secs => lifetime_s)"
        "   FROM unnest(%s::int[], %s::text[], %s::uuid[], %s::bytea[], %s::jsonb[], %s::int[])"
        "        AS claim (application_id, key, message_id, body_digest, answer, lifetime_s)"
        " ON CONFLICT (application_id, key) DO UPDATE"
        "    SET message_id = excluded.message_id, body_digest = excluded.body_digest,"
        "        answer = excluded.answer, expires_at = excluded.expires_at"
        "  WHERE held.expires_at < now()",
        (
            [draft.new.application_id for draft in drafts],
            [claim.key for claim in claims],
            [draft.id for draft in drafts],
            [claim.body_digest for claim in claims],
            [json_text(_answer(draft.acceptance())) for draft in drafts],
            [claim.lifetime_s for claim in claims],
        ),
    )


def _read_keys(
    conn: Connection, keys: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], tuple[UUID, bytes, dict[str, Any]]]:
    """Who holds each key now: message, body digest, answer."""
    applications, names = zip(*keys, strict=True)
    rows = conn.execute(
        "SELECT held.application_id, held.key, message_id, body_digest, answer"
        "  FROM unnest(%s::int[], %s::text[]) AS wanted (application_id, key)"
        "  JOIN idempotency AS held USING (application_id, key)",
        (list(applications), list(names)),
    )
    return {(app, key): (id, bytes(digest), answer) for app, key, id, digest, answer in rows}


def _answer(acceptance: Acceptance) -> dict[str, Any]:
    """What a replay of this acceptance must know."""
    return {
        "communication": acceptance.communication,
        "recipients": acceptance.recipients,
        "suppressed": acceptance.suppressed,
        "duplicates": acceptance.duplicates,
        "deliveries": [(str(id), email, state) for id, email, state in acceptance.deliveries],
    }


def accepted_before(application_id: int, claim: Idempotency) -> Acceptance | None:
    """What this key and body were answered before; None when the key is new, or free again.

    Raises IdempotencyConflict when the key was used with another body.
    """
    with connection() as conn:
        held = conn.execute(
            "SELECT message_id, body_digest, answer"
            "  FROM idempotency"
            " WHERE application_id = %s AND key = %s"
            "   AND (expires_at IS NULL OR expires_at >= now())",
            (application_id, claim.key),
        ).fetchone()
    if held is None:
        return None
    message_id, body_digest, answer = held
    earlier = _replay(claim, message_id, bytes(body_digest), answer)
    if isinstance(earlier, IdempotencyConflict):
        raise earlier
    return earlier


def _replay(
    claim: Idempotency, message_id: UUID, body_digest: bytes, answer: dict[str, Any]
) -> Acceptance | IdempotencyConflict:
    if body_digest != claim.body_digest:
        return IdempotencyConflict()
    deliveries = [(UUID(id), email, state) for id, email, state in answer["deliveries"]]
    ours = {"message_id": message_id, "deliveries": deliveries, "replayed": True}
    return Acceptance(**(answer | ours))


def _find_communications(conn: Connection, drafts: Sequence[_Draft]) -> None:
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


def _insert(conn: Connection, drafts: Sequence[_Draft], now: datetime) -> None:
    if drafts:
        conn.execute(_INSERT, (named_rows_json([_row(draft, now) for draft in drafts]),))
        insert_local_events(conn, [event for draft in drafts for event in _events(draft)], now)


def _row(draft: _Draft, now: datetime) -> dict[str, object]:
    new = draft.new
    return {
        "id": draft.id,
        "application_id": new.application_id,
        "communication_id": draft.communication_id,
        "key_id": new.key_id,
        "door": new.door,
        "simulated": new.simulated,
        "lane": new.lane,
        "from_address": new.from_address,
        "mail_from": new.mail_from,
        "subject": new.subject,
        "header_message_id": new.header_message_id,
        "on_doubt": new.on_doubt,
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


def _delivery_row(id: UUID, delivery: NewDelivery, outcome: _Outcome) -> dict[str, object]:
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


def _events(draft: _Draft) -> Iterator[NewLocalEvent]:
    made = zip(draft.delivery_ids, draft.new.deliveries, draft.outcomes, strict=True)
    for id, delivery, (stage, reason, _) in made:
        if stage in _RECORDED:
            yield NewLocalEvent(id, FIRST, _RECORDED[stage], reason, delivery.reason_text)
