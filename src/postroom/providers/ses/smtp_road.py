"""Amazon SES's SMTP interface: the SMTP road under two headers that the service takes off again.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html and
.../header-fields.html, read 2026-11-24.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from postroom.providers.base import Account, Call, Copy, Mail, RawMail
from postroom.providers.ses.compose import CHANGES, HANDOVER_TAG, configuration_set
from postroom.providers.smtp import SmtpCarrier

STEERING: frozenset[bytes] = frozenset({
    b"x-ses-configuration-set", b"x-ses-message-tags", b"x-ses-source-arn", b"x-ses-from-arn",
    b"x-ses-return-path-arn", b"x-ses-list-management-options", b"x-ses-tenant",
})  # fmt: skip
"""Headers that the service obeys: an application's own ones never reach it, on either road."""


def ses_header(account: Account, handover_id: UUID, mail: RawMail) -> bytes:
    """The message tag that comes back in every event, and the set that publishes the events."""
    tags = f"X-SES-MESSAGE-TAGS: {HANDOVER_TAG}={handover_id}\r\n"
    named = configuration_set(account.settings, mail)
    chosen = f"X-SES-CONFIGURATION-SET: {named}\r\n" if named else ""
    return (tags + chosen).encode("ascii")


class SesSmtpCarrier(SmtpCarrier):
    """Hands over by SMTP what an account without API keys has to send."""

    capabilities = replace(SmtpCarrier.capabilities, own_message_id=False)

    def __init__(self, timeout_s: float = 50.0) -> None:
        """A carrier whose transactions end after `timeout_s` seconds."""
        super().__init__(ses_header, timeout_s)

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy, with what the service changes in every mail."""
        calls = super().compose(account, mail, copies)
        return [replace(call, changes=(*call.changes, *CHANGES)) for call in calls]
