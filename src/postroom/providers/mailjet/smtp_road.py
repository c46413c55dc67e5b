"""Mailjet's SMTP interface: the SMTP road under headers that the service takes off again.

https://dev.mailjet.com/smtp-relay/custom-headers, read 2026-11-24.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from postroom.providers.base import Account, Call, Copy, Mail, RawMail
from postroom.providers.smtp import SmtpCarrier

STEERING: frozenset[bytes] = frozenset({
    b"x-mj-customid", b"x-mj-eventpayload", b"x-mj-templateid", b"x-mj-templatelanguage",
    b"x-mj-templateerrorreporting", b"x-mj-templateerrordeliver", b"x-mj-vars",
    b"x-mj-monitoringcategory", b"x-mj-workflow", b"x-mailjet-prio", b"x-mailjet-campaign",
    b"x-mailjet-deduplicatecampaign", b"x-mailjet-segmentation", b"x-mailjet-trackopen",
    b"x-mailjet-trackclick",
})  # fmt: skip
"""Headers that the service obeys: an application's own ones never reach it."""

CHANGES = ("Message-ID written by Mailjet", "envelope sender of Mailjet")
"""What happens to every mail on this road, whatever it says itself."""


def mailjet_header(_account: Account, handover_id: UUID, mail: RawMail) -> bytes:
    """The id that comes back in every event, and whether opens and clicks are tracked."""
    return (
        f"X-MJ-CustomID: {handover_id}\r\n"
        f"X-Mailjet-TrackOpen: {int(mail.track_opens)}\r\n"
        f"X-Mailjet-TrackClick: {int(mail.track_clicks)}\r\n"
    ).encode("ascii")


class MailjetSmtpCarrier(SmtpCarrier):
    """Hands over by SMTP what Mailjet's JSON cannot say."""

    capabilities = replace(SmtpCarrier.capabilities, own_message_id=False)

    def __init__(self, timeout_s: float = 50.0) -> None:
        """A carrier whose transactions end after `timeout_s` seconds."""
        super().__init__(mailjet_header, timeout_s)

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy, with what the service changes in every mail."""
        calls = super().compose(account, mail, copies)
        return [replace(call, changes=(*call.changes, *CHANGES)) for call in calls]
