"""The vendor's SMTP API: one user for all, the API key, and the X-MSYS-API header.

developers.sparkpost.com/api/smtp, read 2026-11-24. The template language is not played by SMTP, and
nothing is tracked unless the header asks for it.
"""

import hmac
import json
from typing import Any

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.sparkpost.api import new_transmission_id
from postroom.simulator.smtp_mail import SmtpMail, SmtpRefusedError, SmtpRoad, without_headers

USER = b"SMTP_Injection"
HEADER = "X-MSYS-API"


class SmtpInterface(SmtpRoad):
    """What the vendor's listener takes."""

    data_bytes_max = 20 * 1024 * 1024

    def __init__(self, name: str, api_key: str) -> None:
        self._name, self._key = name, api_key.encode()

    def knows(self, user: bytes, password: bytes) -> bool:
        """The vendor's user and the API key."""
        known = hmac.compare_digest(user, USER)
        return hmac.compare_digest(password, self._key) and known

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail without the vendor's header, told of with what it says."""
        told, id = _told(str(mail.headers[HEADER] or "{}")), new_transmission_id()
        metadata, options = told.get("metadata") or {}, told.get("options") or {}
        return mail.copies(
            self._name,
            id,
            without_headers(mail.data, HEADER),
            f"<{id}@sparkpostmail.example>",
            handover=metadata.get(HANDOVER_KEY),
            metadata=metadata,
            tags=tuple(told.get("tags") or ()),
            more={"subject": str(mail.headers["Subject"] or "")},
            track_opens=bool(options.get("open_tracking")),
            track_clicks=bool(options.get("click_tracking")),
        )


def _told(value: str) -> dict[str, Any]:
    """What the header says; raises SmtpRefusedError in the vendor's words."""
    try:
        told = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise SmtpRefusedError("550 5.6.0 JSON parsing error in X-MSYS-API") from error
    if not isinstance(told, dict) or not isinstance(told.get("metadata") or {}, dict):
        text = "550 5.6.0 X-MSYS-API 'metadata' must be of type 'json object'"
        raise SmtpRefusedError(text)
    return told
