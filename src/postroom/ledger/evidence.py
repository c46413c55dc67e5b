"""The bytes behind a verdict: what was sent for this delivery, what was answered, what was heard.

A delivery's evidence is its own: of a call to many recipients the parts that all share and its
own slice, of a notification about many its own event. The SHA-256 of the whole stands beside
each, so that the slice can be matched with the whole that operators can see.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.ledger import blobs
from postroom.ledger.db import Connection, connection


@dataclass(frozen=True, slots=True)
class Part:
    """A run of bytes of a larger whole; `data` is None where it is, or may be, another's own."""

    start: int
    length: int
    data: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """Something that was kept: its parts that belong to this delivery, and what all of it was."""

    sha256: bytes | None
    """Of all its bytes; None when they are not kept any more."""
    size_bytes: int | None
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class AttemptEvidence:
    """One call, as far as it concerns this delivery."""

    attempt_id: UUID
    handover_id: UUID
    account: str
    road: str
    recipients: int
    begun_at: datetime
    ended_at: datetime | None
    outcome: str | None
    changes: tuple[str, ...]
    """What this road changed in the mail."""
    request: Whole
    status: int | None
    headers: dict[str, str]
    response: Whole | None
    """None: no answer came. Without parts where the answer names other recipients."""
    error: str | None


@dataclass(frozen=True, slots=True)
class ReceiptEvidence:
    """One notification that told a fact about this delivery."""

    receipt_id: UUID
    account: str
    received_at: datetime
    headers: dict[str, str]
    body: Whole


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is kept about a delivery."""

    submission: Whole
    """As received from the application; its bytes hold all recipients and are not shown here."""
    attempts: list[AttemptEvidence]
    receipts: list[ReceiptEvidence]


def evidence(delivery_id: UUID) -> Evidence | None:
    """The evidence of a delivery; None when there is no such delivery."""
    with connection() as conn:
        submission = _submission(conn, delivery_id)
        if submission is None:
            return None
        return Evidence(
            submission,
            list(_attempts(conn, delivery_id)),
            list(_receipts(conn, delivery_id)),
        )


def _submission(conn: Connection, delivery_id: UUID) -> Whole | None:
    row = conn.execute(
        "SELECT submission_digest, size_bytes"
        "  FROM delivery"
        "  JOIN message ON message.id = delivery.message_id"
        "  LEFT JOIN blob ON blob.message_id = message.id AND digest = submission_digest"
        " WHERE delivery.id = %s",
        (delivery_id,),
    ).fetchone()
    return None if row is None else Whole(*row)


def _attempts(conn: Connection, delivery_id: UUID) -> Iterator[AttemptEvidence]:
    rows = conn.execute(
        "SELECT attempt.id, handover.id, account.name, road, recipients, attempt.begun_at,"
        "       ended_at, COALESCE(handover.outcome, attempt.outcome), changes, message_id,"
        "       request_segments, request_start, request_length, response_status,"
        "       response_headers, response_body, error"
        "  FROM handover"
        "  JOIN attempt ON attempt.id = attempt_id"
        "  JOIN account ON account.id = handover.account_id"
        " WHERE delivery_id = %s"
        " ORDER BY attempt.begun_at, attempt.id",
        (delivery_id,),
    ).fetchall()
    for row in rows:
        yield _attempt(conn, row)


def _attempt(conn: Connection, row: tuple[Any, ...]) -> AttemptEvidence:
    (
        attempt_id, handover_id, account, road, recipients, begun_at, ended_at, outcome, changes,
        message_id, segments, start, length, status, headers, body, error,
    ) = row  # fmt: skip
    others = _others(conn, attempt_id, handover_id)
    return AttemptEvidence(
        attempt_id,
        handover_id,
        account,
        road,
        recipients,
        begun_at,
        ended_at,
        outcome,
        tuple(changes),
        _request(conn, message_id, bytes(segments), (start, length), others, status is not None),
        status,
        headers or {},
        _response(body, others),
        error,
    )


@dataclass(frozen=True, slots=True)
class _Other:
    """Another recipient of the same call."""

    start: int
    length: int
    recipient: str


def _others(conn: Connection, attempt_id: UUID, handover_id: UUID) -> list[_Other]:
    rows = conn.execute(
        "SELECT request_start, request_length, recipient"
        "  FROM handover"
        "  JOIN delivery ON delivery.id = delivery_id"
        " WHERE attempt_id = %s AND handover.id <> %s",
        (attempt_id, handover_id),
    )
    return [_Other(*row) for row in rows]


def _request(
    conn: Connection,
    message_id: UUID,
    packed: bytes,
    own: tuple[int, int],
    others: Sequence[_Other],
    is_answered: bool,
) -> Whole:
    """The request. Where no answer proves that it was made as recorded, only the own slice.

    A recipient who is lost at the begin has bytes in the recorded request and no hand-over that
    says which; such a request is never made.
    """
    segments = blobs.unpack_segments(packed)
    needed = {segment.digest for segment in segments if not isinstance(segment, bytes)}
    kept = blobs.load(conn, message_id, needed)
    if needed - kept.keys():
        return Whole(None, None)
    whole = b"".join(_bytes_of(segment, kept) for segment in segments)
    hidden = {(other.start, other.length) for other in others} - {own}
    if not is_answered:
        end = own[0] + own[1]
        hidden = {(0, own[0]), (end, len(whole) - end)} - {(0, 0), (end, 0)}
    return Whole(blobs.digest_of(whole), len(whole), tuple(_visible(whole, own, hidden)))


def _bytes_of(segment: bytes | blobs.Run, kept: dict[bytes, bytes]) -> bytes:
    if isinstance(segment, bytes):
        return segment
    return kept[segment.digest][segment.start : segment.start + segment.length]


def _visible(
    whole: bytes, own: tuple[int, int], hidden: Iterable[tuple[int, int]]
) -> Iterator[Part]:
    """The whole in order: shared runs, the own slice, and holes where others' slices are."""
    at = 0
    for start, length in sorted({own, *hidden}):
        if start > at:
            yield Part(at, start - at, whole[at:start])
        shown = whole[start : start + length] if (start, length) == own else None
        yield Part(start, length, shown)
        at = max(at, start + length)
    if at < len(whole):
        yield Part(at, len(whole) - at, whole[at:])


def _response(body: bytes | None, others: Sequence[_Other]) -> Whole | None:
    if body is None:
        return None
    said = bytes(body).lower()
    names_others = any(other.recipient.lower().encode() in said for other in others)
    parts = () if names_others else (Part(0, len(body), bytes(body)),)
    return Whole(blobs.digest_of(bytes(body)), len(body), parts)


_RECEIPTS = """
WITH told AS (
    SELECT receipt_id, receipt_start, receipt_length FROM event
     WHERE delivery_id = %(id)s AND receipt_id IS NOT NULL
     UNION
    SELECT receipt_id, receipt_start, receipt_length FROM hearing
     WHERE delivery_id = %(id)s
)
SELECT receipt.id, account.name, receipt.received_at, headers, events, zlib,
       receipt_start, receipt_length
  FROM told
  JOIN receipt ON receipt.id = receipt_id
  JOIN account ON account.id = receipt.account_id
 ORDER BY receipt.id, receipt_start
"""


def _receipts(conn: Connection, delivery_id: UUID) -> Iterator[ReceiptEvidence]:
    rows = conn.execute(_RECEIPTS, {"id": delivery_id})
    for id, account, received_at, headers, events, kept, start, length in rows:
        body = _body(blobs.decompress(kept), events, start, length)
        yield ReceiptEvidence(id, account, received_at, headers, body)


def _body(whole: bytes, events: int | None, start: int | None, length: int | None) -> Whole:
    """The event's own slice; an event without one is shown whole only where it is the only one."""
    if length is None and (events or 0) > 1:
        return Whole(blobs.digest_of(whole), len(whole))
    begin = start or 0
    end = len(whole) if length is None else begin + length
    part = Part(begin, end - begin, whole[begin:end])
    return Whole(blobs.digest_of(whole), len(whole), (part,))


def unattributed(address_key: str) -> list[dict[str, Any]]:
    """Events that name this address and fit no delivery, oldest first, as they were heard."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT heard FROM orphan WHERE address_key = %s ORDER BY id LIMIT 100", (address_key,)
        )
        return [heard for (heard,) in rows]
