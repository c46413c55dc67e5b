"""How receipts and hits lie in a file of the spool: frames, each with its length and checksum.

A process that is killed while it writes leaves a frame that is not whole. It is recognised, and
neither it nor what follows it is taken for one.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from postroom.ledger import hit_intake
from postroom.ledger.blobs import compress, decompress
from postroom.ledger.copying import json_text
from postroom.ledger.hit_intake import NewHit
from postroom.ledger.intake import NewReceipt

Item = NewReceipt | NewHit

_RECEIPT, _HIT = b"PRr1", b"PRh1"
"""Begin each frame and name its format; without them, zeros would be a frame of no bytes."""
_HEAD = struct.Struct(">4sI16s")
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Frame:
    """A receipt or hit, and where in its file it lies."""

    start: int
    end: int
    item: Item


def framed(item: Item) -> bytes:
    """The frame that holds the receipt or hit."""
    if isinstance(item, NewReceipt):
        return _framed(_RECEIPT, _of_receipt(item))
    return _framed(_HIT, json_text(hit_intake.to_json(item)).encode("utf-8", "surrogatepass"))


def _framed(mark: bytes, said: bytes) -> bytes:
    packed = compress(said)
    return _HEAD.pack(mark, len(packed), _digest(packed)) + packed


def _of_receipt(receipt: NewReceipt) -> bytes:
    told = {
        "id": str(receipt.id),
        "account_id": receipt.account_id,
        "received_at": receipt.received_at.isoformat(),
        "headers": dict(receipt.headers),
    }
    # The text of JSON has no line break, so the first one is where the body begins.
    return json_text(told).encode("utf-8", "surrogatepass") + b"\n" + receipt.body


def frames(content: bytes) -> Iterator[Frame]:
    """The whole frames of a file, up to its end or the first frame that is not whole."""
    start = 0
    while (found := _whole(content, start)) is not None:
        mark, packed = found
        end = start + _HEAD.size + len(packed)
        said = decompress(packed)
        yield Frame(start, end, _receipt(said) if mark == _RECEIPT else _hit(said))
        start = end


def _whole(content: bytes, start: int) -> tuple[bytes, bytes] | None:
    """Mark and content of the frame that begins here; None: none that is whole does."""
    head = content[start : start + _HEAD.size]
    if len(head) < _HEAD.size:
        return None
    mark, length, digest = _HEAD.unpack(head)
    packed = content[start + _HEAD.size : start + _HEAD.size + length]
    is_whole = len(packed) == length and digest == _digest(packed)
    return (mark, packed) if mark in (_RECEIPT, _HIT) and is_whole else None


def _hit(said: bytes) -> NewHit:
    return hit_intake.from_json(json.loads(said.decode("utf-8", "surrogatepass")))


def _receipt(said: bytes) -> NewReceipt:
    told, _, body = said.partition(b"\n")
    described = json.loads(told.decode("utf-8", "surrogatepass"))
    return NewReceipt(
        described["account_id"],
        datetime.fromisoformat(described["received_at"]),
        described["headers"],
        body,
        UUID(described["id"]),
    )


def _digest(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=_DIGEST_BYTES).digest()
