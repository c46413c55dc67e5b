"""Messages as the sender needs them: read from the ledger and parsed once, the latest kept."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from postroom.domain.content import Content
from postroom.domain.structure import structure_of
from postroom.domain.submitted import content_of
from postroom.domain.template import OWN_PREFIX, UNSUBSCRIBE, parse
from postroom.ledger.blobs import StoredMessage
from postroom.ledger.db import LedgerUnavailable
from postroom.sending.halving import halves
from postroom.sending.mime import LIST_FIELD, Skeleton, build, one_click
from postroom.sending.private_headers import Cleaned, cleaned, fields
from postroom.sending.tracking import Tracked, Tracking, led_by, tracked, tracking_of, wished
from postroom.sending.tracking_mail import TrackedMail, tracked_mail

_ONE_CLICK = frozenset({b"list-unsubscribe", b"list-unsubscribe-post"})


@dataclass(frozen=True)
class Message:
    """A stored message, parsed."""

    stored: StoredMessage
    content: Content | None
    """None when the mail came in by SMTP: its bytes are what leaves."""
    read_at: datetime
    tracked: Tracked | None = None
    """How the content is tracked; None: it is not, or by its provider."""
    _cleaned: dict[frozenset[bytes], Cleaned] = field(default_factory=dict, repr=False)

    @property
    def due_at(self) -> datetime:
        """When it was first to be sent."""
        return self.stored.send_at or self.stored.accepted_at

    @property
    def from_domain(self) -> str:
        """The domain of the header From, in A-labels."""
        return self.stored.from_address.rpartition("@")[2]

    @cached_property
    def keys(self) -> frozenset[str]:
        """The fields that every recipient must have a value for."""
        if self.content is None:
            return frozenset()
        texts = (self.content.subject, self.content.text, self.content.html)
        keys = frozenset().union(*(parse(text).keys for text in texts if text is not None))
        of_links = frozenset() if self.tracked is None else self.tracked.keys
        # Where readers cannot reach us nobody has a value for this one of ours.
        lacking = {UNSUBSCRIBE} & keys if self.leads is None else frozenset()
        others = (key for key in keys if not key.startswith(OWN_PREFIX))
        return of_links.union(others, lacking)

    @cached_property
    def leads(self) -> Tracking | None:
        """By what addresses lead through us; None where readers cannot reach us."""
        return led_by(self.stored)

    def values(self, handover_id: UUID, values: Mapping[str, str]) -> Mapping[str, str]:
        """What is filled into one copy; raises MissingField."""
        if self.leads is not None and self.has_unsubscribe:
            values = {**values, UNSUBSCRIBE: self.leads.unsubscribe(handover_id)}
        return values if self.tracked is None else self.tracked.values(handover_id, values)

    @cached_property
    def has_unsubscribe(self) -> bool:
        """Whether copies need the address of their page for refusing mail of this kind."""
        content = self.content
        if content is None:
            return False
        texts = (content.subject, content.text or "", content.html or "")
        return content.one_click or any(UNSUBSCRIBE in text for text in texts)

    def one_click(self, handover_id: UUID) -> bytes:
        """The fields of RFC 8058 for a copy of a mail that came in by SMTP; empty: it has none."""
        if self.leads is None or not self.stored.is_marketing or self._has_own_list_field:
            return b""
        return one_click(self.leads.unsubscribe(handover_id)).encode()

    @cached_property
    def _has_own_list_field(self) -> bool:
        return any(name in _ONE_CLICK for _, _, name in fields(self.stored.submission))

    @cached_property
    def skeleton(self) -> Skeleton:
        """The mail built from the content, once for all copies; ValueError when there is none."""
        if self.content is None:
            raise ValueError("a mail that came in by SMTP is not built")
        return build(self.content, self.read_at)

    @cached_property
    def tracked_mail(self) -> TrackedMail | None:
        """How a mail that came in by SMTP is tracked by us; None: it is not."""
        by = tracking_of(self.stored)
        if self.content is not None or by is None:
            return None
        return tracked_mail(self.stored.submission, by, self.wishes)

    @cached_property
    def wishes(self) -> frozenset[str]:
        """Which of `opens` and `clicks` are to be counted in a mail that came in by SMTP.

        To count them the mail is changed, by us or its provider: a signed or encrypted one would
        break.
        """
        structure = structure_of(self.stored.submission)
        if structure.signed or structure.encrypted or not structure.readable:
            return frozenset()
        return wished(self.stored, self.cleaned(frozenset()).track)

    def cleaned(self, steering: frozenset[bytes]) -> Cleaned:
        """The mail that came in, without what stays in the house; raises CannotCarry."""
        if steering not in self._cleaned:
            self._cleaned[steering] = cleaned(self.stored.submission, steering)
        return self._cleaned[steering]


def parsed(stored: StoredMessage, now: datetime) -> Message:
    """The message with its content read."""
    if stored.door == "smtp":
        return Message(stored, None, now)
    body = json.loads(stored.submission)
    content = _wishing(content_of(body), stored, is_said=body.get("track") is not None)
    named = {name.lower() for name, _ in content.headers}
    if stored.is_marketing and led_by(stored) is not None and LIST_FIELD.lower() not in named:
        content = replace(content, one_click=True)
    by = tracking_of(stored)
    if by is None:
        return Message(stored, content, now)
    led = tracked(content, by)
    # Its provider has nothing to count in any case: one open is told once.
    shown = replace(content if led is None else led.content, track_opens=False, track_clicks=False)
    return Message(stored, shown, now, led)


def _wishing(content: Content, stored: StoredMessage, *, is_said: bool) -> Content:
    """The content, asking for what is to be counted."""
    pairs = (("opens", content.track_opens), ("clicks", content.track_clicks))
    asked = frozenset(name for name, is_wanted in pairs if is_wanted)
    wishes = wished(stored, asked if is_said else None)
    return replace(content, track_opens="opens" in wishes, track_clicks="clicks" in wishes)


class RecentMessages:
    """The messages used last, as many as fit into `bytes_max`; shared by the sender's threads."""

    def __init__(
        self,
        load: Callable[[Sequence[UUID]], list[StoredMessage]],
        now: Callable[[], datetime],
        bytes_max: int,
    ) -> None:
        self._load = load
        self._now = now
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[UUID, Message] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, message_ids: Iterable[UUID]) -> dict[UUID, Message | Exception]:
        """Each message, or why it cannot be had; LedgerUnavailable when none can."""
        wanted = set(message_ids)
        found: dict[UUID, Message | Exception] = dict(self._of_these(wanted))
        if missing := sorted(wanted - found.keys()):
            found |= self._read(missing)
        return found

    def _of_these(self, wanted: Iterable[UUID]) -> dict[UUID, Message]:
        with self._lock:
            found = {id: self._kept[id] for id in wanted if id in self._kept}
            for id in found:
                self._kept.move_to_end(id)
        return found

    def _read(self, ids: Sequence[UUID]) -> dict[UUID, Message | Exception]:
        """One that cannot be read never stands in the way of the others."""
        try:
            stored = self._load(ids)
        except LedgerUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - told with the message that it concerns
            if len(ids) == 1:
                return {ids[0]: error}
            first, second = halves(ids)
            return self._read(first) | self._read(second)
        gone = LookupError("its content is not kept any more")
        return dict.fromkeys(ids, gone) | {one.message_id: self._parse(one) for one in stored}

    def _parse(self, stored: StoredMessage) -> Message | Exception:
        try:
            message = parsed(stored, self._now())
        except Exception as error:  # noqa: BLE001 - told with the message that it concerns
            return error
        self._keep(stored.message_id, message)
        return message

    def _keep(self, message_id: UUID, message: Message) -> None:
        with self._lock:
            if message_id in self._kept:
                return
            self._kept[message_id] = message
            self._bytes += weight(len(message.stored.submission))
            while self._bytes > self._bytes_max and self._kept:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= weight(len(oldest.stored.submission))


def weight(submission_bytes: int) -> int:
    """Bytes that a message takes: as submitted, parsed, and perhaps built."""
    return 3 * submission_bytes
