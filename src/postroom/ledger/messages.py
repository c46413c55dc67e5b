"""New messages and their deliveries: the one statement set that acceptance is made of."""

from collections.abc import Iterable, Iterator, Sequence
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
from postroom.ledger.copying import NULL, copy_lines, copy_rows, escaped, json_text, optional
from postroom.ledger.db import Connection, connection
from postroom.ledger.ids import uuid7_batch
from postroom.ledger.local_events import FIRST, NewLocalEvent, copy_local_events
from postroom.ledger.suppressions import Standing, standing_with

Result = Acceptance | IdempotencyConflict | KeyRevoked


@dataclass(slots=True)
class _Draft:
    """A message that is about to be written."""

    new: NewMessage
    id: UUID
    delivery_ids: list[UUID]
    suppressed: dict[str, Standing]
    communication_id: int | None = None

    def outcome(self, delivery: NewDelivery) -> tuple[Stage, str | None, int | None]:
        """Stage, reason and standing suppression of one delivery at acceptance."""
        standing = self.suppressed.get(delivery.recipient_key)
        if standing is None or delivery.stage is Stage.REJECTED:
            return delivery.stage, delivery.reason, None
        return Stage.SUPPRESSED, "suppressed_by_us", standing.id

    def acceptance(self) -> Acceptance:
        pairs = list(zip(self.delivery_ids, self.new.deliveries, strict=True))
        stages = [(id, delivery, self.outcome(delivery)[0]) for id, delivery in pairs]
        listed = stages if len(stages) <= DELIVERIES_LISTED_MAX else []
        return Acceptance(
            message_id=self.id,
            communication=self.new.communication,
            recipients=len(stages),
            suppressed=sum(stage is Stage.SUPPRESSED for _, _, stage in stages),
            duplicates=self.new.duplicates,
            deliveries=[(id, delivery.recipient, str(stage)) for id, delivery, stage in listed],
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
    _copy(conn, won, now)
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
    return {id for (id,) in rows}


def _draft(new: NewMessage, now: datetime) -> _Draft:
    ids = uuid7_batch(now, 1 + len(new.deliveries))
    return _Draft(new, ids[0], ids[1:], {})


def _find_suppressions(conn: Connection, drafts: Iterable[_Draft]) -> None:
    for simulated in (False, True):
        same_kind = [draft for draft in drafts if draft.new.simulated is simulated]
        keys = {delivery.recipient_key for draft in same_kind for delivery in draft.new.deliveries}
        standing = standing_with(conn, simulated, keys)
        if standing:
            for draft in same_kind:
                draft.suppressed = standing


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
    """What this key and body were answered before; None when the key is new.

    Raises IdempotencyConflict when the key was used with another body.
    """
    with connection() as conn:
        held = _read_keys(conn, [(application_id, claim.key)])
    if not held:
        return None
    earlier = _replay(claim, *held[application_id, claim.key])
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


_MESSAGE_COLUMNS = (
    "id", "application_id", "communication_id", "key_id", "door", "simulated", "lane",
    "from_address", "mail_from", "subject", "header_message_id", "on_doubt", "tags", "metadata",
    "notify", "recipients", "duplicates", "submission_digest", "accepted_at", "send_at",
    "expires_at", "resend_of",
)  # fmt: skip

_DELIVERY_COLUMNS = (
    "message_id", "application_id", "communication_id", "simulated", "lane", "due_at",
    "expires_at", "changed_at", "id", "recipient", "recipient_key", "recipient_name", "ref",
    "vars", "metadata", "stage", "reason", "reason_text", "suppression_id", "local_events",
)  # fmt: skip


def _copy(conn: Connection, drafts: Sequence[_Draft], now: datetime) -> None:
    if not drafts:
        return
    digests = [digest_of(draft.new.submission) for draft in drafts]
    pairs = list(zip(drafts, digests, strict=True))
    copy_rows(conn, "message", _MESSAGE_COLUMNS, (_message_row(*pair, now) for pair in pairs))
    copy_rows(
        conn,
        "blob",
        ("message_id", "digest", "size_bytes", "zlib"),
        (
            (draft.id, digest, len(draft.new.submission), compress(draft.new.submission))
            for draft, digest in pairs
        ),
    )
    copy_lines(
        conn,
        "delivery",
        _DELIVERY_COLUMNS,
        (line for draft in drafts for line in _delivery_lines(draft, now)),
    )
    copy_local_events(conn, [event for draft in drafts for event in _events(draft)], now)


def _message_row(draft: _Draft, digest: bytes, now: datetime) -> tuple[object, ...]:
    new = draft.new
    return (
        draft.id, new.application_id, draft.communication_id, new.key_id, new.door, new.simulated,
        new.lane, new.from_address, new.mail_from, new.subject, new.header_message_id,
        new.on_doubt, list(new.tags), json_text(new.metadata),
        None if new.notify is None else json_text(new.notify), len(new.deliveries),
        new.duplicates, digest, now, new.send_at, new.expires_at, new.resend_of,
    )  # fmt: skip


def _delivery_lines(draft: _Draft, now: datetime) -> Iterator[str]:
    new = draft.new
    due_at = new.send_at or now
    expires_at = NULL if new.expires_at is None else new.expires_at.isoformat()
    communication = NULL if draft.communication_id is None else str(draft.communication_id)
    shared = (
        f"{draft.id}\t{new.application_id}\t{communication}\t{'t' if new.simulated else 'f'}\t"
        f"{int(new.lane)}\t{due_at.isoformat()}\t{expires_at}\t{now.isoformat()}\t"
    )
    for id, delivery in zip(draft.delivery_ids, new.deliveries, strict=True):
        stage, reason, suppression_id = draft.outcome(delivery)
        vars = NULL if not delivery.vars else escaped(json_text(delivery.vars))
        metadata = NULL if not delivery.metadata else escaped(json_text(delivery.metadata))
        yield (
            f"{shared}{id}\t{escaped(delivery.recipient)}\t{escaped(delivery.recipient_key)}\t"
            f"{optional(delivery.recipient_name)}\t{optional(delivery.ref)}\t{vars}\t{metadata}\t"
            f"{stage}\t{optional(reason)}\t{optional(delivery.reason_text)}\t"
            f"{NULL if suppression_id is None else suppression_id}\t"
            f"{1 if stage in _RECORDED else 0}\n"
        )


_RECORDED = {
    Stage.HELD: EventType.HELD,
    Stage.REJECTED: EventType.REJECTED,
    Stage.SUPPRESSED: EventType.SUPPRESSED,
}
"""Stages at acceptance that are an event too."""


def _events(draft: _Draft) -> Iterator[NewLocalEvent]:
    for id, delivery in zip(draft.delivery_ids, draft.new.deliveries, strict=True):
        stage, reason, _ = draft.outcome(delivery)
        if stage in _RECORDED:
            yield NewLocalEvent(id, FIRST, _RECORDED[stage], reason, delivery.reason_text)
