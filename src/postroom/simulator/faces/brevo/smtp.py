"""The vendor's SMTP relay and its headers.

developers.brevo.com/docs/smtp-integration, read 2026-11-24.
"""

import hmac

from postroom.simulator.copies import Copy
from postroom.simulator.faces.brevo.api import CUSTOM, handover_of, new_message_id
from postroom.simulator.faces.brevo.settings import Settings
from postroom.simulator.smtp_mail import SmtpMail, SmtpRoad


class SmtpInterface(SmtpRoad):
    """What the vendor's listener takes."""

    data_bytes_max = 20 * 1024 * 1024

    def __init__(self, name: str, settings: Settings) -> None:
        self._name, self._tracking = name, settings.tracking
        self._user, self._password = settings.smtp_user.encode(), settings.smtp_password.encode()

    def knows(self, user: bytes, password: bytes) -> bool:
        """The SMTP login and key."""
        known = hmac.compare_digest(user, self._user)
        return hmac.compare_digest(password, self._password) and known

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail as it came: the recipient sees the vendor's header too."""
        message_id, custom = new_message_id(), str(mail.headers[CUSTOM] or "").strip()
        return mail.copies(
            self._name,
            message_id,
            mail.data,
            message_id,
            handover=handover_of(custom),
            more={"custom": custom, "subject": str(mail.headers["Subject"] or "")},
            track_opens=self._tracking,
            track_clicks=self._tracking,
        )
