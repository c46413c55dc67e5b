"""Bytes kept verbatim: submissions, and requests as segments over them."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.ledger.db import Connection, connection

_FAST = 1  # zlib level: half the size of the better levels' gain at a fifth of their time


@runtime_checkable
class BlobRun(Protocol):
    """A run of bytes inside a stored blob."""

    @property
    def digest(self) -> bytes: ...
    @property
    def start(self) -> int: ...
    @property
    def length(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Run:
    """A run of bytes inside a stored blob, as read back from an attempt."""

    digest: bytes
    start: int
    length: int


def compress(data: bytes) -> bytes:
    """The bytes as they are kept."""
    return zlib.compress(data, _FAST)


def decompress(kept: bytes) -> bytes:
    """The bytes as they were."""
    return zlib.decompress(kept)


def digest_of(data: bytes) -> bytes:
    """SHA-256: the name of a blob."""
    return sha256(data).digest()


def keep(conn: Connection, blobs: Iterable[tuple[UUID, Mapping[bytes, bytes]]]) -> None:
    """Store blobs, each under its message and digest; those already there stay."""
    wanted = {(message_id, key): data for message_id, few in blobs for key, data in few.items()}
    held = _held(conn, list(wanted)) if wanted else set()
    new = [
        (*place, len(data), compress(data)) for place, data in wanted.items() if place not in held
    ]
    if new:
        conn.execute(
            "INSERT INTO blob (message_id, digest, size_bytes, zlib)"
            " SELECT * FROM unnest(%s::uuid[], %s::bytea[], %s::integer[], %s::bytea[])"
            " ON CONFLICT DO NOTHING",
            [list(column) for column in zip(*new, strict=True)],
        )


def _held(conn: Connection, places: list[tuple[UUID, bytes]]) -> set[tuple[UUID, bytes]]:
    """Those of these blobs that are there; compressing them again would cost more than a look."""
    ids, digests = {id for id, _ in places}, {digest for _, digest in places}
    rows = conn.execute(
        "SELECT message_id, digest FROM blob WHERE message_id = ANY(%s) AND digest = ANY(%s)",
        (list(ids), list(digests)),
    )
    return {(id, bytes(digest)) for id, digest in rows}


def load(conn: Connection, message_id: UUID, digests: Iterable[bytes]) -> dict[bytes, bytes]:
    """The named blobs of a message that are still kept."""
    rows = conn.execute(
        "SELECT digest, zlib FROM blob WHERE message_id = %s AND digest = ANY(%s)",
        (message_id, list(digests)),
    )
    return {bytes(digest): decompress(kept) for digest, kept in rows}


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it was submitted."""

    message_id: UUID
    application_id: int
    application: str
    communication: str | None
    door: str
    from_address: str
    mail_from: str | None
    lane: Lane
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    on_doubt: str
    accepted_at: datetime
    send_at: datetime | None
    expires_at: datetime | None
    submission: bytes
    simulated: bool = False
    track: Sequence[str] = ()
    """What the application has counted where a message does not say."""
    tracking_url: str | None = None
    tracked_by_provider: bool = False
    is_marketing: bool = False
    is_private: bool = False
    """Mail of this kind is never tracked."""


def load_submission(message_id: UUID) -> StoredMessage:
    """The message and its bytes as received; LookupError when the content is no longer kept."""
    found = load_submissions([message_id])
    if not found:
        raise LookupError(f"the content of message {message_id} is not kept any more")
    return found[0]


def load_submissions(message_ids: Sequence[UUID]) -> list[StoredMessage]:
    """Those of the messages whose content is still kept, with their bytes as received."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT message.id, message.application_id, application.name, communication.name,"
            "       door, from_address, mail_from, lane, tags, metadata, on_doubt,"
            "       accepted_at, send_at, expires_at, blob.zlib, message.simulated, track,"
            "       tracking_url, tracked_by_provider, kind = 'marketing',"
            "       kind = ANY(private_kinds)"
            "  FROM message"
            "  JOIN application ON application.id = message.application_id"
            "  LEFT JOIN communication ON communication.id = message.communication_id"
            "  JOIN blob ON blob.message_id = message.id AND blob.digest = submission_digest"
            " WHERE message.id = ANY(%s)",
            (list(message_ids),),
        ).fetchall()
    return [_stored(row) for row in rows]


def _stored(row: tuple[Any, ...]) -> StoredMessage:
    described = dict(zip((field.name for field in fields(StoredMessage)), row, strict=True))
    described["lane"] = Lane(described["lane"])
    described["tags"] = tuple(described["tags"])
    described["submission"] = decompress(described["submission"])
    return StoredMessage(**described)


def sizes(message_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Bytes of each message as received, of those whose content is still kept."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT message.id, blob.size_bytes"
            "  FROM message"
            "  JOIN blob ON blob.message_id = message.id AND blob.digest = submission_digest"
            " WHERE message.id = ANY(%s)",
            (list(message_ids),),
        )
        return dict(rows.fetchall())


_LITERAL, _RUN = b"L", b"R"


def pack_segments(segments: Iterable[bytes | BlobRun]) -> bytes:
    """Segments as one compressed value: a tag, a length, and the bytes or the run."""
    parts: list[bytes] = []
    for segment in segments:
        if isinstance(segment, bytes):
            parts += (_LITERAL, len(segment).to_bytes(4), segment)
        else:
            run = segment.digest + segment.start.to_bytes(4) + segment.length.to_bytes(4)
            parts += (_RUN, len(run).to_bytes(4), run)
    return compress(b"".join(parts))


def unpack_segments(packed: bytes) -> list[bytes | Run]:
    """The segments that `pack_segments` was given."""
    data = decompress(packed)
    segments: list[bytes | Run] = []
    at = 0
    while at < len(data):
        tag, length = data[at : at + 1], int.from_bytes(data[at + 1 : at + 5])
        piece = data[at + 5 : at + 5 + length]
        segments.append(piece if tag == _LITERAL else _run(piece))
        at += 5 + length
    return segments


def _run(piece: bytes) -> Run:
    return Run(piece[:32], int.from_bytes(piece[32:36]), int.from_bytes(piece[36:40]))
