"""Calls in which every copy has a piece of its own, and all else is the same: made once a mail."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted
from typing import Generic, TypeVar

from postroom.domain.content import Content
from postroom.domain.template import MissingField, Template
from postroom.providers.base import Call, CannotCarry, Copy, Segment, Stored

Gap = Callable[[Copy], bytes]
"""What one recipient's copy has in its place; raises MissingField where a value is not there."""

Escape = Callable[[str], str] | None
"""What is made of a value before it stands in a text; None: nothing."""

Opening = Callable[[Sequence[Copy]], bytes]
"""What stands before the first copy's piece in the call of these copies."""

Made = TypeVar("Made")

_RUN_BYTES_MIN = 256
"""Shorter runs are written out: naming a shared one costs more than it saves."""
_FRAMES_KEPT = 4
"""Mails whose shared parts are kept: the sender works on few at a time, of up to 30 MB each."""


@dataclass(frozen=True)
class Frame:
    """What all copies of one mail share; `frame_of` makes it."""

    content: Content
    opening: Opening
    own: tuple[bytes | Stored | Gap, ...]
    """The piece that every copy has."""
    rest: Stored
    """What stands after the last copy's piece."""
    blob: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one call may have."""

    copies: int
    bytes: int
    """Of its body."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The piece of one copy."""

    copy: Copy
    segments: tuple[Segment, ...]
    size: int


def frame_of(content: Content, opening: Opening, own: Iterable[bytes | Gap], rest: bytes) -> Frame:
    """The frame of these parts; the long runs of `own` become runs of one shared blob."""
    pieces = list(own)
    runs = [piece for piece in pieces if isinstance(piece, bytes) and _is_long(piece)]
    blob = b"".join(runs) + rest
    digest = sha256(blob).digest()
    start = 0
    placed: list[bytes | Stored | Gap] = []
    for piece in pieces:
        if isinstance(piece, bytes) and _is_long(piece):
            placed.append(Stored(digest, start, len(piece)))
            start += len(piece)
        else:
            placed.append(piece)
    return Frame(content, opening, tuple(placed), Stored(digest, start, len(rest)), blob, digest)


def _is_long(run: bytes) -> bool:
    return len(run) >= _RUN_BYTES_MIN


def text_pieces(template: Template, escape: Escape) -> Iterator[bytes | Gap]:
    """The inside of a JSON string: literal runs, and a gap for every field."""
    for segment in template.segments:
        if isinstance(segment, str):
            yield quoted(segment)[1:-1].encode("ascii")
        else:
            yield _value(segment.key, escape)


def text_field(name: str, template: Template, escape: Escape) -> Iterator[bytes | Gap]:
    """A further field of a JSON object: a comma, its name, and the text as a string."""
    yield f',"{name}":"'.encode("ascii")
    yield from text_pieces(template, escape)
    yield b'"'


def _value(key: str, escape: Escape) -> Gap:
    def value(copy: Copy) -> bytes:
        if key not in copy.vars:
            raise MissingField(key)
        text = copy.vars[key]
        return quoted(escape(text) if escape else text)[1:-1].encode("ascii")

    return value


def calls(frame: Frame, copies: Sequence[Copy], limits: Limits) -> Iterator[Call]:
    """The calls that carry these copies; raises MissingField, and CannotCarry for the size."""
    room = limits.bytes - frame.rest.length
    batch: list[_Written] = []
    used = 0
    for written in (_written(frame, copy) for copy in copies):
        # The opening of several copies is never longer than the openings of each together.
        size = written.size + 1 + len(frame.opening([written.copy]))
        if size > room:
            raise CannotCarry(f"the mail is larger than the {limits.bytes} bytes of one call")
        if len(batch) == limits.copies or used + size > room:
            yield _call(frame, batch)
            batch, used = [], 0
        batch.append(written)
        used += size
    if batch:
        yield _call(frame, batch)


def _written(frame: Frame, copy: Copy) -> _Written:
    own = (p if isinstance(p, bytes | Stored) else p(copy) for p in frame.own)
    segments = tuple(_joined(own))
    size = sum(len(s) if isinstance(s, bytes) else s.length for s in segments)
    return _Written(copy, segments, size)


def _call(frame: Frame, batch: Sequence[_Written]) -> Call:
    copies = tuple(written.copy for written in batch)
    opening = frame.opening(copies)
    slices: list[tuple[int, int]] = []
    segments: list[Segment] = [opening]
    offset = len(opening)
    for written in batch:
        if slices:
            segments.append(b",")
            offset += 1
        slices.append((offset, written.size))
        segments += written.segments
        offset += written.size
    return Call(
        copies=copies,
        segments=tuple(_joined([*segments, frame.rest])),
        slices=tuple(slices),
        shared={frame.digest: frame.blob},
    )


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The same bytes in as few segments as there can be."""
    waiting: list[bytes] = []
    for segment in segments:
        if isinstance(segment, bytes):
            waiting.append(segment)
            continue
        if waiting:
            yield b"".join(waiting)
            waiting = []
        yield segment
    if waiting:
        yield b"".join(waiting)


class Frames(Generic[Made]):
    """The frames of the mails composed last; safe for threads."""

    def __init__(self, make: Callable[[Content], Made]) -> None:
        self._make = make
        self._kept: OrderedDict[int, Made] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, content: Content) -> Made:
        """The frame of this very object; a frame keeps its content alive, so ids stay unique."""
        with self._lock:
            frame = self._kept.get(id(content))
            if frame is None:
                frame = self._kept[id(content)] = self._make(content)
                while len(self._kept) > _FRAMES_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(id(content))
            return frame
