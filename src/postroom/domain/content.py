"""The content of a mail born by HTTP: what was submitted, parsed once per message."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with its display name."""

    email: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached or inline part; `content_id` makes it inline."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What every recipient of the message shares; `{{ key }}` fields are still in place."""

    sender: Mailbox
    subject: str
    text: str | None = None
    html: str | None = None
    reply_to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    display_to: tuple[Mailbox, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    one_click: bool = False
    """Each copy is to have its value of `postroom.unsubscribe` in List-Unsubscribe (RFC 8058)."""
    track_opens: bool = False
    track_clicks: bool = False
    message_id: str | None = None
