"""Idempotency keys: of several submissions under one key, one is written; all get its answer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.ledger.acceptance import Acceptance, Idempotency, IdempotencyConflict
from postroom.ledger.copying import json_text
from postroom.ledger.db import Connection, connection
from postroom.ledger.drafts import Draft

_Key = tuple[int, str]
"""Application and idempotency key."""


def winners(conn: Connection, drafts: Iterable[Draft]) -> list[Draft]:
    """Those that are to be written, in order: without a key, or the first to use theirs."""
    firsts: dict[_Key, Draft] = {}
    free: set[UUID] = set()
    for draft in drafts:
        if draft.new.idempotency is None:
            free.add(draft.id)
        else:
            firsts.setdefault(_key(draft), draft)
    won = free | (_insert(conn, [firsts[key] for key in sorted(firsts)]) if firsts else set())
    return [draft for draft in drafts if draft.id in won]


def _key(draft: Draft) -> _Key:
    return draft.new.application_id, _claim(draft).key


def _claim(draft: Draft) -> Idempotency:
    if draft.new.idempotency is None:
        raise LookupError("this submission has no idempotency key")
    return draft.new.idempotency


def _insert(conn: Connection, drafts: Sequence[Draft]) -> set[UUID]:
    """The messages that have their key now.

    Sorted, so that two commits that share keys wait for one another in one order.
    """
    claims = [_claim(draft) for draft in drafts]
    rows = conn.execute(
        "INSERT INTO idempotency AS held"
        "       (application_id, key, message_id, body_digest, answer, expires_at)"
        " SELECT application_id, key, message_id, body_digest, answer,"
        "        now() + make_interval(secs => lifetime_s)"
        "   FROM unnest(%s::int[], %s::text[], %s::uuid[], %s::bytea[], %s::jsonb[], %s::int[])"
        "        AS claim (application_id, key, message_id, body_digest, answer, lifetime_s)"
        " ON CONFLICT (application_id, key) DO UPDATE"
        "    SET message_id = excluded.message_id, body_digest = excluded.body_digest,"
        "        answer = excluded.answer, expires_at = excluded.expires_at"
        "  WHERE held.expires_at < now()"
        " RETURNING message_id",
        (
            [draft.new.application_id for draft in drafts],
            [claim.key for claim in claims],
            [draft.id for draft in drafts],
            [claim.body_digest for claim in claims],
            [json_text(_answer(draft.acceptance())) for draft in drafts],
            [claim.lifetime_s for claim in claims],
        ),
    )
    return {id for (id,) in rows}


def correct(conn: Connection, drafts: Iterable[Draft]) -> None:
    """Keeps the answers of those winners that go in another lane than they asked for."""
    moved = [draft for draft in drafts if draft.asked_lane is not None and draft.new.idempotency]
    if moved:
        conn.execute(
            "UPDATE idempotency SET answer = correct.answer"
            "  FROM unnest(%s::int[], %s::text[], %s::jsonb[])"
            "       AS correct (application_id, key, answer)"
            " WHERE idempotency.application_id = correct.application_id"
            "   AND idempotency.key = correct.key",
            (
                [draft.new.application_id for draft in moved],
                [_claim(draft).key for draft in moved],
                [json_text(_answer(draft.acceptance())) for draft in moved],
            ),
        )


def replays(
    conn: Connection, drafts: Mapping[int, Draft]
) -> dict[int, Acceptance | IdempotencyConflict]:
    """What those that did not win are answered, each under its position."""
    if not drafts:
        return {}
    held = _read(conn, {_key(draft) for draft in drafts.values()})
    return {
        position: _replay(_claim(draft), draft.new.lane, *held[_key(draft)])
        for position, draft in drafts.items()
    }


def _read(conn: Connection, keys: Iterable[_Key]) -> dict[_Key, tuple[UUID, bytes, dict[str, Any]]]:
    """Who holds each key now: message, body digest, answer."""
    applications, names = zip(*keys, strict=True)
    rows = conn.execute(
        "SELECT held.application_id, held.key, message_id, body_digest, answer"
        "  FROM unnest(%s::int[], %s::text[]) AS wanted (application_id, key)"
        "  JOIN idempotency AS held USING (application_id, key)",
        (list(applications), list(names)),
    )
    return {(app, key): (id, bytes(digest), answer) for app, key, id, digest, answer in rows}


def accepted_before(application_id: int, claim: Idempotency, lane: Lane) -> Acceptance | None:
    """What this key and body, which asks for this lane, were answered before.

    None when the key is new, or free again. Raises IdempotencyConflict when the key was used with
    another body.
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
    earlier = _replay(claim, lane, message_id, bytes(body_digest), answer)
    if isinstance(earlier, IdempotencyConflict):
        raise earlier
    return earlier


def _answer(acceptance: Acceptance) -> dict[str, Any]:
    """What a replay of this acceptance must know."""
    return {
        "communication": acceptance.communication,
        "recipients": acceptance.recipients,
        "suppressed": acceptance.suppressed,
        "duplicates": acceptance.duplicates,
        "deliveries": [(str(id), email, state) for id, email, state in acceptance.deliveries],
        "lane": acceptance.lane,
        "asked_lane": acceptance.asked_lane,
    }


def _replay(
    claim: Idempotency, lane: Lane, message_id: UUID, body_digest: bytes, answer: dict[str, Any]
) -> Acceptance | IdempotencyConflict:
    if body_digest != claim.body_digest:
        return IdempotencyConflict()
    asked_lane = answer.get("asked_lane")
    ours = {
        "message_id": message_id,
        "deliveries": [(UUID(id), email, state) for id, email, state in answer["deliveries"]],
        # Answers from before lanes were kept went in the lane that the same body asks for.
        "lane": Lane(answer.get("lane", lane)),
        "asked_lane": None if asked_lane is None else Lane(asked_lane),
        "replayed": True,
    }
    return Acceptance(**(answer | ours))
