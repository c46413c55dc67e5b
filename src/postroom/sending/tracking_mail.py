"""Tracking of a finished mail: its HTML parts are made anew for each copy, all else stays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from postroom.domain.links import page_of, replaced, url_of
from postroom.domain.tracking import Kind
from postroom.domain.web_address import location
from postroom.providers.base import Segment, Stored
from postroom.sending.html_parts import HtmlPart, html_parts
from postroom.sending.tracking import PICTURE, Tracking

_QUOTED_PRINTABLE = b"Content-Transfer-Encoding: quoted-printable\r\n"


@dataclass(frozen=True, slots=True)
class TrackedMail:
    """What of a finished mail each copy has otherwise."""

    by: Tracking
    parts: tuple[tuple[HtmlPart, Sequence[str]], ...]
    """Each HTML part that is changed, with the runs between which the recipient's part stands."""
    changes: tuple[str, ...]

    def segments(self, handover_id: UUID, segments: Sequence[Segment]) -> tuple[Segment, ...]:
        """The copy, made of the runs that everybody's mail has."""
        return tuple(_spliced(segments, list(self._edits(self.by.recipient(handover_id)))))

    def _edits(self, recipient: str) -> Iterator[tuple[int, int, bytes]]:
        for part, runs in self.parts:
            if part.encoding_at is not None:
                yield *part.encoding_at, _QUOTED_PRINTABLE
            yield part.start, part.end, part.encoded(recipient.join(runs))


def tracked_mail(data: bytes, by: Tracking, wishes: frozenset[str]) -> TrackedMail | None:
    """How the mail is tracked; None where there is nothing to track, or nothing may be changed."""
    if not wishes:
        return None
    writer = _Writer(by, wishes)
    parts = [(part, writer.runs(part.html)) for part in html_parts(data)]
    changed = tuple((part, runs) for part, runs in parts if len(runs) > 1)
    if not changed:
        return None
    was = "; ".join(sha256(data[part.start : part.end]).hexdigest() for part, _ in changed)
    change = (
        f"text/html: {writer.links} links and {writer.pictures} pictures lead through us; the"
        f" SHA-256 of each part's content was {was}"
    )
    return TrackedMail(by, changed, (change,))


class _Writer:
    """Rewrites HTML, with a mark where the recipient's own part is to stand."""

    _MARK = "\x00"

    def __init__(self, by: Tracking, wishes: frozenset[str]) -> None:
        self._by = by
        self._wishes = wishes
        self.links = self.pictures = 0

    def runs(self, html: str) -> Sequence[str]:
        """The text around the places of the recipient's part; one run: nothing is changed."""
        if self._MARK in html:
            return [html]
        picture = ""
        if "opens" in self._wishes:
            self.pictures += 1
            picture = PICTURE.format(self._by.address(Kind.OPEN, self._MARK))
        page = page_of(html)
        link = self._link if "clicks" in self._wishes else str
        return replaced(html, page, link, picture).split(self._MARK)

    def _link(self, written: str) -> str:
        url = url_of(written)
        if location(url) is None:
            return written
        self.links += 1
        return self._by.address(Kind.CLICK, self._MARK, url)


def _spliced(
    segments: Sequence[Segment], edits: Sequence[tuple[int, int, bytes]]
) -> Iterator[Segment]:
    """The runs of one blob with others in the place of some stretches, which are in its order."""
    waiting = list(edits)
    for segment in segments:
        if isinstance(segment, bytes):
            yield segment
            continue
        place, end = segment.start, segment.start + segment.length
        while waiting and waiting[0][1] <= end:
            start, after, new = waiting.pop(0)
            if start > place:
                yield Stored(segment.digest, place, start - place)
            yield new
            place = after
        if place < end:
            yield Stored(segment.digest, place, end - place)
