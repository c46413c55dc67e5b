"""The vendor's SMTP interface: the server token twice, and X-PM headers.

postmarkapp.com/developer/user-guide/send-email-with-smtp and postmarkapp.com/support (custom
metadata, tags and streams by SMTP), read 2026-11-24.
"""

import hmac
from email.message import EmailMessage
from uuid import uuid4

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.postmark.checks import MAIL_BYTES_MAX
from postroom.simulator.smtp_mail import SmtpMail, SmtpRoad, without_headers

PREFIX = "X-PM-"
METADATA = "x-pm-metadata-"


class SmtpInterface(SmtpRoad):
    """What the vendor's listener takes."""

    data_bytes_max = MAIL_BYTES_MAX

    def __init__(self, name: str, server_token: str) -> None:
        self._name, self._token = name, server_token.encode()

    def knows(self, user: bytes, password: bytes) -> bool:
        """User and password are the token."""
        known = hmac.compare_digest(user, self._token)
        return hmac.compare_digest(password, self._token) and known

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail without the vendor's headers, told of with what they say."""
        headers, message_id = mail.headers, str(uuid4())
        metadata = _metadata(headers)
        tag = _text(headers, "X-PM-Tag")
        return mail.copies(
            self._name,
            message_id,
            without_headers(mail.data, PREFIX),
            f"<{message_id}@mtasv.net>",
            handover=metadata.get(HANDOVER_KEY),
            metadata=metadata,
            tags=(tag,) if tag else (),
            more={
                "stream": _text(headers, "X-PM-Message-Stream") or "outbound",
                "subject": _text(headers, "Subject"),
            },
            track_opens=_text(headers, "X-PM-TrackOpens").lower() == "true",
            track_clicks=(_text(headers, "X-PM-TrackLinks") or "None") != "None",
        )


def _metadata(headers: EmailMessage) -> dict[str, str]:
    """Header names have no case, so the keys come in lower case."""
    return {
        name.lower().removeprefix(METADATA): str(value).strip()
        for name, value in headers.items()
        if name.lower().startswith(METADATA)
    }


def _text(headers: EmailMessage, name: str) -> str:
    return str(headers[name] or "").strip()
