"""How receipts lie in a file of the spool: frames in a row, each with its length and checksum.

A process that is killed while it writes leaves a frame that is not whole. It is recognised, and
neither it nor what follows it is taken for a receipt.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from postroom.ledger.blobs import compress, decompress
from postroom.ledger.copying import json_text
from postroom.ledger.intake import NewReceipt

_MARK = b"PRr1"
"""Begins each frame and names its format; without it, zeros would be a frame of no bytes."""
_HEAD = struct.Struct(">4sI16s")
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Frame:
    """A receipt, and where in its file it lies."""

    start: int
    end: int
    receipt: NewReceipt


def framed(receipt: NewReceipt) -> bytes:
    """The frame that holds the receipt."""
    told = {
        "id": str(receipt.id),
        "account_id": receipt.account_id,
        "received_at": receipt.received_at.isoformat(),
        "headers": dict(receipt.headers),
    }
    # The text of JSON has no line break, so the first one is where the body begins.
    packed = compress(json_text(told).encode("utf-8", "surrogatepass") + b"\n" + receipt.body)
    return _HEAD.pack(_MARK, len(packed), _digest(packed)) + packed


def frames(content: bytes) -> Iterator[Frame]:
    """The whole frames of a file, up to its end or the first frame that is not whole."""
    start = 0
    while (packed := _packed(content, start)) is not None:
        end = start + _HEAD.size + len(packed)
        yield Frame(start, end, _receipt(packed))
        start = end


def _packed(content: bytes, start: int) -> bytes | None:
    head = content[start : start + _HEAD.size]
    if len(head) < _HEAD.size:
        return None
    mark, length, digest = _HEAD.unpack(head)
    packed = content[start + _HEAD.size : start + _HEAD.size + length]
    is_whole = mark == _MARK and len(packed) == length and digest == _digest(packed)
    return packed if is_whole else None


def _receipt(packed: bytes) -> NewReceipt:
    told, _, body = decompress(packed).partition(b"\n")
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
