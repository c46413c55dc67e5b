"""The vendor's SMTP interface and its headers.

dev.mailjet.com/smtp-relay/custom-headers, read 2026-11-24.
"""

import hmac
from email.message import EmailMessage

from postroom.simulator.copies import Copy
from postroom.simulator.faces.mailjet.api import new_message_id
from postroom.simulator.faces.mailjet.settings import Settings
from postroom.simulator.smtp_mail import SmtpMail, SmtpRoad, without_headers


class SmtpInterface(SmtpRoad):
    """What the vendor's listener takes."""

    data_bytes_max = 15 * 1024 * 1024

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._user, self._password = settings.api_key.encode(), settings.api_secret.encode()

    def knows(self, user: bytes, password: bytes) -> bool:
        """The two API keys."""
        known = hmac.compare_digest(user, self._user)
        return hmac.compare_digest(password, self._password) and known

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail without the vendor's headers, told of with what they say."""
        headers, message_id = mail.headers, str(new_message_id())
        bare = without_headers(without_headers(mail.data, "X-MJ-"), "X-Mailjet-")
        return mail.copies(
            self._name,
            message_id,
            bare,
            f"<{message_id}@mailjet.com>",
            handover=_text(headers, "X-MJ-CustomID") or None,
            more={"payload": _text(headers, "X-MJ-EventPayload")},
            track_opens=_text(headers, "X-Mailjet-TrackOpen") != "0",
            track_clicks=_text(headers, "X-Mailjet-TrackClick") != "0",
        )


def _text(headers: EmailMessage, name: str) -> str:
    return str(headers[name] or "").strip()
