"""The vendor's SMTP interface and its X-Mailgun headers.

documentation.mailgun.com/docs/mailgun/user-manual/sending-messages (send via SMTP, passing
options), read 2026-11-24. Recipient variables in a header are refused, because nobody here sends
them.
"""

import hmac
import json
from email.message import EmailMessage

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.mailgun.settings import Settings
from postroom.simulator.faces.mailgun.taking import new_message_id
from postroom.simulator.smtp_mail import SmtpMail, SmtpRefusedError, SmtpRoad, without_headers

PREFIX = "X-Mailgun-"


class SmtpInterface(SmtpRoad):
    """What the vendor's listener takes."""

    data_bytes_max = 25 * 1024 * 1024

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._user, self._password = settings.smtp_user.encode(), settings.smtp_password.encode()

    def knows(self, user: bytes, password: bytes) -> bool:
        """The login of one sending domain."""
        known = hmac.compare_digest(user, self._user)
        return hmac.compare_digest(password, self._password) and known

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail without the vendor's headers, told of with what they say."""
        headers = mail.headers
        if headers["X-Mailgun-Recipient-Variables"]:
            raise SmtpRefusedError("554 5.3.3 This simulator takes no recipient variables by SMTP")
        metadata = _variables(headers)
        message_id = new_message_id(self._user.decode().rpartition("@")[2])
        tracked = _is_on(headers, "Track")
        return mail.copies(
            self._name,
            message_id,
            without_headers(mail.data, PREFIX),
            f"<{message_id}>",
            handover=metadata.get(HANDOVER_KEY),
            metadata=metadata,
            tags=tuple(str(tag).strip() for tag in headers.get_all("X-Mailgun-Tag", [])),
            more={"subject": str(headers["Subject"] or ""), "from": str(headers["From"] or "")},
            track_opens=tracked and _is_on(headers, "Track-Opens"),
            track_clicks=tracked and _is_on(headers, "Track-Clicks"),
        )


def _variables(headers: EmailMessage) -> dict[str, str]:
    """Of all such headers together; one that is no JSON object is passed over, as the vendor does.

    The parser puts a space where a long header was folded, which JSON does not mind.
    """
    found: dict[str, str] = {}
    for header in headers.get_all("X-Mailgun-Variables", []):
        try:
            values = json.loads(str(header))
        except ValueError:
            continue
        if isinstance(values, dict):
            found |= {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in values.items()
            }
    return found


def _is_on(headers: EmailMessage, name: str) -> bool:
    return str(headers[f"{PREFIX}{name}"] or "yes").strip().lower() not in {"no", "false"}
