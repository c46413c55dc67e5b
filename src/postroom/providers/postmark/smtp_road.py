"""Postmark's SMTP interface: the SMTP road under headers that the service takes off again.

https://postmarkapp.com/developer/user-guide/send-email-with-smtp, read 2026-11-24. The service
takes a mail into its parts and makes another of them, as its API would: a mail that is signed,
encrypted or an invitation would not survive that.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from postroom.domain.structure import structure_of
from postroom.providers.base import (
    Account,
    Call,
    CannotCarry,
    Copy,
    Mail,
    RawMail,
    assemble,
)
from postroom.providers.json_mail import one_line
from postroom.providers.postmark.carrier import STREAM
from postroom.providers.postmark.compose import MESSAGE_BYTES_MAX, STREAM_SETTING, track_links
from postroom.providers.postmark.events import HANDOVER_KEY
from postroom.providers.smtp import SmtpCarrier

STEERING: frozenset[bytes] = frozenset({
    b"x-pm-tag", b"x-pm-message-stream", b"x-pm-trackopens", b"x-pm-tracklinks", b"x-pm-keepid",
    b"x-pm-metadata-" + HANDOVER_KEY.encode("ascii"),
})  # fmt: skip
"""Headers that the service obeys: an application's own ones never reach it."""

CHANGES = ("taken into parts and put together again by Postmark", "envelope sender of Postmark")
"""What happens to every mail on this road, whatever it says itself."""


def postmark_header(account: Account, handover_id: UUID, mail: RawMail) -> bytes:
    """The id that comes back in every event, the stream, what is tracked; the Message-ID stays."""
    stream = one_line(account.settings.get(STREAM_SETTING, STREAM))
    return (
        f"X-PM-Metadata-{HANDOVER_KEY}: {handover_id}\r\n"
        f"X-PM-Message-Stream: {stream}\r\n"
        f"X-PM-TrackOpens: {str(mail.track_opens).lower()}\r\n"
        f"X-PM-TrackLinks: {track_links(mail.track_clicks)}\r\n"
        "X-PM-KeepID: true\r\n"
    ).encode("ascii", "replace")


class PostmarkSmtpCarrier(SmtpCarrier):
    """Hands over by SMTP what Postmark's JSON cannot say and its parts can."""

    capabilities = replace(SmtpCarrier.capabilities, calendar_alternative=False)

    def __init__(self, timeout_s: float = 50.0) -> None:
        """A carrier whose transactions end after `timeout_s` seconds."""
        super().__init__(postmark_header, timeout_s)

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy, with what the service changes in every mail."""
        if isinstance(mail, RawMail) and copies:
            _check(assemble(mail.copies[copies[0].handover_id], mail.shared))
        calls = super().compose(account, mail, copies)
        return [replace(call, changes=(*call.changes, *CHANGES)) for call in calls]


def _check(data: bytes) -> None:
    """Nothing; raises CannotCarry for what the service would break or not take.

    All copies of a mail have one structure, so one of them is looked at.
    """
    if not structure_of(data).may_be_rebuilt:
        raise CannotCarry("Postmark puts every mail together anew, which would break this one")
    if len(data) > MESSAGE_BYTES_MAX:
        raise CannotCarry(f"the mail is larger than the {MESSAGE_BYTES_MAX} bytes of a message")
