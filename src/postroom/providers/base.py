"""What every carrier and every receiver of notifications promises to the rest of the house."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from postroom.domain.content import Content
from postroom.domain.delivery import EventType


class NotAuthentic(Exception):
    """The notification did not prove that it comes from the provider."""


class CannotTell(Exception):
    """Whether the notification is authentic cannot be told now; its sender is to repeat it."""


class PullFailed(Exception):
    """The queue could not be asked; the message says why."""


class Unreadable(Exception):
    """The bytes are no notification of this provider."""


class CannotCarry(Exception):
    """This road cannot carry the mail as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a road can do; composition asks, and never guesses by name."""

    raw_mime: bool
    """Takes a finished RFC 5322 mail and leaves its bytes alone."""
    custom_envelope: bool
    """RCPT TO may differ from header To and Cc."""
    calendar_alternative: bool
    """A `text/calendar; method=` part stays an alternative."""
    own_message_id: bool
    """Our Message-ID reaches the recipient unchanged."""
    substitution: bool
    """Fields are filled in per recipient by the provider."""
    batch_size: int
    """Most recipients in one call."""


@dataclass(frozen=True, slots=True)
class Account:
    """One provider account: where it is reached, with what, and how its webhooks are proved."""

    id: int
    name: str
    provider: str
    simulated: bool
    settings: Mapping[str, str] = field(repr=False)
    """Provider-specific (`api_key`, `endpoint`, `webhook_public_key` ...); holds secrets."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One recipient's own copy of a message, under its opaque hand-over id."""

    handover_id: UUID
    recipient: str
    name: str | None = None
    vars: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """A run of bytes inside a blob that the ledger keeps under its SHA-256 digest."""

    digest: bytes
    start: int
    length: int


Segment = bytes | Stored
"""A piece of a request: literal bytes, or a run of a stored blob."""


@dataclass(frozen=True, slots=True)
class RawMail:
    """A finished RFC 5322 mail whose bytes are left alone: received by SMTP, or built by us."""

    mail_from: str
    """The envelope sender; empty for the null sender."""
    copies: Mapping[UUID, tuple[Segment, ...]] = field(repr=False)
    """Per hand-over id: the segments of that recipient's mail."""
    shared: Mapping[bytes, bytes] = field(repr=False)
    """Digest to bytes of every blob that the segments refer to."""
    changes: tuple[str, ...] = ()
    """What was already changed on the way, for the record of the attempt."""
    track_opens: bool = False
    track_clicks: bool = False


Mail = Content | RawMail


@dataclass(frozen=True, slots=True)
class Call:
    """One request, fully built before anything is sent; its bytes are the joined segments."""

    copies: tuple[Copy, ...]
    segments: tuple[Segment, ...]
    """Re-assemble to the request body (HTTP) or to the DATA of the transaction (SMTP)."""
    slices: tuple[tuple[int, int], ...]
    """Per copy: offset and length of its own part in the assembled request."""
    shared: Mapping[bytes, bytes] = field(repr=False, default_factory=dict)
    """Digest to bytes of every blob that `segments` refers to."""
    changes: tuple[str, ...] = ()
    """What this road changed in the mail, part by part, for the record of the attempt."""
    mail_from: str = ""
    """The envelope sender on roads with an envelope of their own; empty elsewhere."""

    def body(self) -> bytes:
        """The assembled request."""
        return assemble(self.segments, self.shared)


def assemble(segments: Sequence[Segment], shared: Mapping[bytes, bytes]) -> bytes:
    """The request's bytes; KeyError when a blob that a segment names is not in `shared`."""
    return b"".join(
        segment
        if isinstance(segment, bytes)
        else shared[segment.digest][segment.start : segment.start + segment.length]
        for segment in segments
    )


class ReplyKind(StrEnum):
    """How a call ended: taken, one of the three kinds of send error, or the account is stopped."""

    TAKEN = "taken"
    TRY_LATER = "try_later"
    """Certainly not taken, and may be repeated after `retry_after_s`."""
    REFUSED = "refused"
    """Certainly not taken, and would be refused again as it is."""
    UNKNOWN = "unknown"
    """Cannot be told whether it was taken."""
    ACCOUNT_STOPPED = "account_stopped"
    """Certainly not taken: the provider refuses our credentials or has paused the account."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the provider refused one recipient."""

    reason: str
    """One of `domain.reason`."""
    text: str
    reply_code: int | None = None
    enhanced_code: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The provider's answer to one call, verbatim, with what it means per copy."""

    kind: ReplyKind
    status: int | None = None
    """HTTP status or SMTP reply code; None when no answer came."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str | None = None
    """Our own words where no answer came ("timed out after 30 s waiting for the answer")."""
    retry_after_s: float | None = None
    rest_s: float | None = None
    """For so long the account has no calls left, by the answer to the last one; None: not told."""
    message_ids: Mapping[UUID, str] = field(default_factory=dict)
    """Hand-over id to the provider's message id, where the answer gives it: taken for certain."""
    refused: Mapping[UUID, Refusal] = field(default_factory=dict)
    """Hand-overs that the answer names as refused; the others of the call follow `kind`."""
    later: frozenset[UUID] = frozenset()
    """Hand-overs that the answer names as certainly not taken and worth another try."""
    slowed: frozenset[UUID] = frozenset()
    """Hand-overs whose receiving domain asks for less mail: nothing is wrong with the account."""


class Carrier(Protocol):
    """A road: builds calls from a mail and its copies, and hands them over."""

    capabilities: Capabilities

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """The calls that carry these copies, none larger than the road allows.

        Pure. Raises CannotCarry when this road cannot carry the mail as it is.
        """
        ...

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        ...

    async def close(self) -> None:
        """Let kept connections go."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as the provider told it, in the normal form, before our reading of the reason."""

    type: EventType
    recipient: str | None
    occurred_at: datetime | None
    """The provider's clock; None when not told or unreadable."""
    occurred_raw: str = ""
    """The stamp exactly as given: part of the fact's identity."""
    provider_type: str = ""
    """The provider's own word for the event."""
    provider_class: str = ""
    """The provider's own class (SendGrid `bounce_classification`, SES `bounceSubType` ...)."""
    reply_code: int | None = None
    enhanced_code: str | None = None
    diagnostic: str | None = None
    """The raw text, whole."""
    remote_host: str | None = None
    url: str | None = None
    user_agent: str | None = None
    machine: bool | None = None
    """Of opens and clicks: True by a machine, False by a person, None when not told."""
    asynchronous: bool | None = None
    """Of failures: reported after acceptance (True), in-band (False), unsaid (None)."""
    given_up: bool = False
    """A temporary failure that the provider has stopped trying."""
    handover_id: UUID | None = None
    provider_message_id: str | None = None
    event_id: str | None = None
    start: int = 0
    """Byte offset of this event in the receipt's body."""
    length: int | None = None
    """Bytes of this event in the body; None: the whole body."""


class Receiver(Protocol):
    """The other direction: proves and reads what a provider tells us."""

    signed: bool
    """Whether notifications carry a signature over their bytes. Without one (path secret, basic
    authentication) an event that names no hand-over of ours proves nothing about an address."""

    def verify(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> None:
        """Nothing; raises NotAuthentic, or CannotTell for trouble of our own.

        `headers` have lower-case names, `authorization` too.
        """
        ...

    def parse(self, headers: Mapping[str, str], body: bytes) -> Iterator[Heard]:
        """The events of one notification; raises Unreadable when the bytes are none."""
        ...


@dataclass(frozen=True, slots=True)
class Pulled:
    """One notification that was taken out of a provider's queue."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    """What the queue says about it, as a webhook's headers would."""
    handle: str = field(repr=False)
    """By this the queue knows what to let go of."""


class Puller(Protocol):
    """Takes notifications out of a queue of the provider, instead of being posted to."""

    needs: frozenset[str]
    """Settings that an account must have to be pulled from."""

    async def receive(self, account: Account) -> list[Pulled]:
        """What waits in the queue, or nothing after some seconds; raises PullFailed.

        The queue keeps what it gave, and gives it again, until it is let go.
        """
        ...

    async def let_go(self, account: Account, pulled: Sequence[Pulled]) -> None:
        """Forget what is stored here by now; raises PullFailed."""
        ...

    async def close(self) -> None:
        """Let kept connections go."""
        ...
