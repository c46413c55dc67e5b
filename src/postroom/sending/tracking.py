"""Links and a picture that lead through us: written into a mail once, for all its recipients.

What differs by recipient is one field, `{{ postroom.recipient }}`, so a call for many still carries
one body. Only a link that itself has fields becomes a value of its own for each copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from uuid import UUID

from django.conf import settings

from postroom.domain import tracking
from postroom.domain.content import Content
from postroom.domain.links import page_of, replaced, url_of
from postroom.domain.template import FIELD, OWN_PREFIX, Template, parse
from postroom.domain.tracking import Keys, Kind
from postroom.domain.web_address import location
from postroom.ledger.blobs import StoredMessage

RECIPIENT = f"{OWN_PREFIX}recipient"
_LINK = f"{OWN_PREFIX}link."
PICTURE = (
    '<img src="{}" alt="" width="1" height="1" border="0"'
    ' style="display:block;width:1px;height:1px;border:0">'
)


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where the addresses of one message lead, and with what they are proved."""

    message_id: UUID
    base_url: str
    keys: Keys

    def address(self, kind: Kind, recipient: str, url: str = "") -> str:
        """The address that leads through us; `recipient` is its own part, or a field for it."""
        target = tracking.target(kind, self.message_id, url, self.keys)
        return self.base_url + tracking.path(kind, recipient, target)

    def unsubscribe(self, handover_id: UUID) -> str:
        """The address of the page on which this copy's reader refuses mail of its kind."""
        return self.address(Kind.UNSUBSCRIBE, self.recipient(handover_id))

    def recipient(self, handover_id: UUID) -> str:
        """The part that is this copy's own."""
        return tracking.recipient(self.message_id, handover_id, self.keys)


@dataclass(frozen=True, slots=True)
class Tracked:
    """A content that is tracked, and what each copy of it needs besides its own values."""

    content: Content
    changes: tuple[str, ...]
    """What was changed, for the record of the attempt."""
    _tracking: Tracking
    _links: Mapping[str, Template]
    """The links that have fields: as they stand in the mail, by the field that stands for them."""

    def values(self, handover_id: UUID, values: Mapping[str, str]) -> dict[str, str]:
        """What is filled into this copy; raises MissingField."""
        recipient = self._tracking.recipient(handover_id)
        filled = {**values, RECIPIENT: recipient}
        for key, link in self._links.items():
            filled[key] = self._link(recipient, link.render(values, escape))
        return filled

    def _link(self, recipient: str, written: str) -> str:
        url = url_of(written)
        if location(url) is None:
            return url
        return self._tracking.address(Kind.CLICK, recipient, url)

    @property
    def keys(self) -> frozenset[str]:
        """The fields of the links that have some."""
        return frozenset().union(*(link.keys for link in self._links.values()))


def wished(stored: StoredMessage, asked: frozenset[str] | None) -> frozenset[str]:
    """Which of `opens` and `clicks` are to be counted; None asks for what the application does."""
    if stored.is_private:
        return frozenset()
    return frozenset(stored.track) if asked is None else asked


def tracking_of(stored: StoredMessage) -> Tracking | None:
    """How the message is tracked by us; None where that is left to its provider."""
    return None if stored.tracked_by_provider else led_by(stored)


def led_by(stored: StoredMessage) -> Tracking | None:
    """By what addresses of the message lead through us; None where readers cannot reach us.

    The address of this very machine is good for simulated mail alone.
    """
    base_url = stored.tracking_url
    if base_url is None and (settings.POSTROOM_IS_PUBLIC or stored.simulated):
        base_url = settings.POSTROOM_PUBLIC_URL
    if base_url is None:
        return None
    return Tracking(stored.message_id, base_url, Keys.of(settings.POSTROOM_SECRET_KEY))


def tracked(content: Content, by: Tracking) -> Tracked | None:
    """The content with what it asks to have counted led through us; None: it asks for nothing."""
    if content.html is None or not (content.track_opens or content.track_clicks):
        return None
    writer = _Writer(by, content.html)
    html = writer.written(content.track_opens, content.track_clicks)
    change = (
        f"text/html: {writer.links} links and {int(content.track_opens)} picture lead through us;"
        f" its template's SHA-256 was {_digest(content.html)} and is {_digest(html)}"
    )
    return Tracked(replace(content, html=html), (change,), by, writer.with_fields)


class _Writer:
    """Rewrites one HTML template."""

    def __init__(self, by: Tracking, html: str) -> None:
        self._by = by
        self._html = html
        self.links = 0
        self.with_fields: dict[str, Template] = {}

    def written(self, opens: bool, clicks: bool) -> str:
        """The template with its links, where clicks are counted, and a picture for opens."""
        # A field counts as a word without spaces, wherever it stands.
        page = page_of(FIELD.sub(lambda field: "x" * len(field[0]), self._html))
        if not clicks:
            page = replace(page, links=())
        picture = PICTURE.format(self._by.address(Kind.OPEN, _field(RECIPIENT)))
        return replaced(self._html, page, self._link, picture if opens else "")

    def _link(self, written: str) -> str:
        template = parse(written)
        if any(key.startswith(OWN_PREFIX) for key in template.keys):
            return written
        if template.keys:
            self.links += 1
            key = f"{_LINK}{len(self.with_fields)}"
            self.with_fields[key] = template
            return _field(key)
        url = url_of(template.render({}))
        if location(url) is None:
            return written
        self.links += 1
        return self._by.address(Kind.CLICK, _field(RECIPIENT), url)


def _field(key: str) -> str:
    return f"{{{{{key}}}}}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
