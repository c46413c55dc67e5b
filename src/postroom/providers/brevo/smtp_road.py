"""Brevo's SMTP relay: the SMTP road under the header that comes back in every event.

https://developers.brevo.com/docs/smtp-integration, read 2026-11-24.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from postroom.providers.base import Account, Call, Copy, Mail, RawMail
from postroom.providers.brevo import compose
from postroom.providers.brevo.events import CUSTOM_HEADER, HANDOVER_LABEL
from postroom.providers.smtp import SmtpCarrier

STEERING: frozenset[bytes] = frozenset({
    b"x-mailin-custom", b"x-mailin-tag", b"x-mailin-campaign", b"x-mailin-client",
    b"x-sib-sandbox", b"sender.ip", b"idempotencykey",
})  # fmt: skip
"""Headers that the service obeys: an application's own ones never reach it."""

CHANGES = ("Message-ID written by Brevo", "envelope sender of Brevo", *compose.CHANGES)
"""What happens to every mail on this road, whatever it says itself."""


def brevo_header(_account: Account, handover_id: UUID, _mail: RawMail) -> bytes:
    """Our id, which the recipient sees too."""
    return f"{CUSTOM_HEADER}: {HANDOVER_LABEL}:{handover_id}\r\n".encode("ascii")


class BrevoSmtpCarrier(SmtpCarrier):
    """Hands over by SMTP what Brevo's JSON cannot say."""

    capabilities = replace(SmtpCarrier.capabilities, own_message_id=False)

    def __init__(self, timeout_s: float = 50.0) -> None:
        """A carrier whose transactions end after `timeout_s` seconds."""
        super().__init__(brevo_header, timeout_s)

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy, with what the service changes in every mail."""
        calls = super().compose(account, mail, copies)
        return [replace(call, changes=(*call.changes, *CHANGES)) for call in calls]
