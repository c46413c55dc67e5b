"""What of a received mail stays in the house: private headers are left out, every other byte goes.

RFC 5322 section 3.6.3 for Bcc, RFC 5321 section 4.4 for Return-Path (the last server writes it).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from postroom.providers.base import CannotCarry, Segment, Stored

PRIVATE = frozenset({b"bcc", b"resent-bcc", b"return-path"})
OWN_PREFIX = b"x-postroom-"

TRACK = OWN_PREFIX + b"track"
# A lone CR or LF ends a line too: some server on the way may read it so.
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")

_BEGINS_FOLDED = re.compile(rb"(?:[ \t]+(?:\r\n|\r|\n))*[ \t]+[^ \t\r\n]")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A received mail as runs of its own bytes."""

    segments: tuple[Segment, ...]
    shared: dict[bytes, bytes]
    removed: tuple[str, ...]
    """The names of the headers left out, in the order met."""
    track: frozenset[str] | None = None
    """Which of `opens` and `clicks` the mail asks to have counted; None: it does not say."""


def cleaned(data: bytes, steering: frozenset[bytes] = frozenset()) -> Cleaned:
    """The mail without its private headers and without those that would steer our account.

    `steering` are lower-case names. Raises CannotCarry for a mail whose first line continues a
    header that is not there: one put on top would swallow it. A blank one does no harm.
    """
    if _BEGINS_FOLDED.match(data):
        raise CannotCarry("the mail begins with a continuation line")
    digest = sha256(data).digest()
    removed: list[str] = []
    runs: list[list[int]] = []
    track: frozenset[str] | None = None
    for start, end, name in fields(data):
        if name == TRACK:
            track = _words(data[start:end])
        if _stays(name, steering):
            _append(runs, start, end)
        else:
            removed.append(name.decode("ascii", "replace"))
    segments = tuple(Stored(digest, start, end - start) for start, end in runs)
    return Cleaned(segments, {digest: data}, tuple(removed), track)


def _words(field: bytes) -> frozenset[str]:
    """What the field asks for; the door has refused what it cannot ask for."""
    value = field.partition(b":")[2].decode("ascii", "replace")
    return frozenset(word.strip().lower() for word in value.split(",")) & {"opens", "clicks"}


def fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each header field, folded lines included, as (start, end, lower-case name); then the body."""
    start, end, name = 0, 0, b""
    while (line := _LINE.match(data, end)) and (text := line[0].rstrip(b"\r\n")):
        if text[:1] not in (b" ", b"\t"):
            if end:
                yield start, end, name
            start, name = end, text.partition(b":")[0].strip().lower()
        end = line.end()
    if end:
        yield start, end, name
    if end < len(data):
        yield end, len(data), b""


def _stays(name: bytes, steering: frozenset[bytes]) -> bool:
    return name not in PRIVATE and name not in steering and not name.startswith(OWN_PREFIX)


def _append(runs: list[list[int]], start: int, end: int) -> None:
    """Add a run, joined to the last one where they touch."""
    if runs and runs[-1][1] == start:
        runs[-1][1] = end
    else:
        runs.append([start, end])
