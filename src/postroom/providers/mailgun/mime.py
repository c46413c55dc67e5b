"""Mailgun's raw road: a finished mail as calls of `POST /v3/<domain>/messages.mime`.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, read 2026-11-24.
`to` is the envelope; header To and Cc stay content. One recipient a call, because the copies of a
mail differ.
"""

import re
from collections.abc import Sequence
from uuid import UUID

from postroom.domain.address import parse_address
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail, Segment
from postroom.providers.mailgun import form
from postroom.providers.mailgun.compose import LIMITS, new_token, options
from postroom.providers.mailgun.events import HANDOVER_VARIABLE

STEERING: frozenset[bytes] = frozenset({
    b"x-mailgun-tag", b"x-mailgun-variables", b"x-mailgun-recipient-variables", b"x-mailgun-track",
    b"x-mailgun-track-clicks", b"x-mailgun-track-opens", b"x-mailgun-tracking-pixel-location-top",
    b"x-mailgun-dkim", b"x-mailgun-secondary-dkim", b"x-mailgun-secondary-dkim-public",
    b"x-mailgun-deliver-by", b"x-mailgun-deliver-within", b"x-mailgun-time-zone-localize",
    b"x-mailgun-delivery-time-optimize-period", b"x-mailgun-drop-message", b"x-mailgun-require-tls",
    b"x-mailgun-skip-verification", b"x-mailgun-sending-ip", b"x-mailgun-sending-ip-pool",
    b"x-mailgun-template-name", b"x-mailgun-template-version", b"x-mailgun-template-variables",
    b"x-mailgun-suppress-headers", b"x-mailgun-archive-to",
})  # fmt: skip
"""Headers that the service obeys: an application's own ones never reach it, on any road."""

CHANGES = ("envelope sender of Mailgun",)

_FILLED_IN = re.compile(
    rb"%(?:recipient|unsubscribe|tag_unsubscribe|mailing_list)[^\s%]*%", re.IGNORECASE
)
"""What Mailgun replaces in the text of a mail."""


def calls(mail: RawMail, copies: Sequence[Copy]) -> list[Call]:
    """A call for each copy; raises CannotCarry for a mail that Mailgun would fill in or refuse."""
    for blob in mail.shared.values():
        _check(blob)
    return [_call(mail, copy) for copy in copies]


def _call(mail: RawMail, copy: Copy) -> Call:
    token = new_token()
    own = mail.copies[copy.handover_id]
    named = [
        ("to", parse_address(copy.recipient).spec),
        (f"v:{HANDOVER_VARIABLE}", str(copy.handover_id)),
        *options(mail.track_opens, mail.track_clicks),
    ]
    opening = form.fields(token, named)
    opening += form.file_opening(token, "message", "message.mime", "message/rfc822")
    segments: tuple[Segment, ...] = (opening, *own, b"\r\n" + form.closing(token))
    size = sum(len(s) if isinstance(s, bytes) else s.length for s in segments)
    if size > LIMITS.bytes:
        raise CannotCarry(f"the mail is larger than the {LIMITS.bytes} bytes of one call")
    for segment in own:
        if isinstance(segment, bytes):
            _check(segment)
    return Call(
        copies=(copy,),
        segments=segments,
        slices=((0, size),),
        shared=mail.shared,
        changes=(*mail.changes, *CHANGES),
        mail_from=mail.mail_from,
    )


def _check(text: bytes) -> None:
    if _FILLED_IN.search(text):
        raise CannotCarry("Mailgun would fill in what stands between percent signs")


def mailgun_header(_account: Account, handover_id: UUID, mail: RawMail) -> bytes:
    """The headers of the SMTP interface: the id that comes back in every event, and tracking."""
    tracked = "yes" if mail.track_opens or mail.track_clicks else "no"
    return (
        f'X-Mailgun-Variables: {{"{HANDOVER_VARIABLE}":"{handover_id}"}}\r\n'
        f"X-Mailgun-Track: {tracked}\r\n"
        f"X-Mailgun-Track-Opens: {'yes' if mail.track_opens else 'no'}\r\n"
        f"X-Mailgun-Track-Clicks: {'htmlonly' if mail.track_clicks else 'no'}\r\n"
    ).encode("ascii")
