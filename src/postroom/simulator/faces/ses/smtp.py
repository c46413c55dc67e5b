"""The vendor's SMTP interface with its X-SES headers.

docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html and troubleshoot-smtp.html, read
2026-11-24.
"""

import hmac
import re

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.ses.mail import new_message_id
from postroom.simulator.faces.ses.sets import Sets
from postroom.simulator.smtp_mail import SmtpMail, SmtpRefusedError, SmtpRoad

_OWN = re.compile(
    rb"^(X-SES-MESSAGE-TAGS|X-SES-CONFIGURATION-SET):(.*\r\n(?:[ \t].*\r\n)*)",
    re.IGNORECASE | re.MULTILINE,
)


class SmtpInterface(SmtpRoad):
    """What the vendor's listener takes."""

    data_bytes_max = 40_000_000

    def __init__(self, name: str, user: str, password: str, region: str, sets: Sets) -> None:
        self._name, self._region, self._sets = name, region, sets
        self._user, self._password = user.encode(), password.encode()

    def knows(self, user: bytes, password: bytes) -> bool:
        """SMTP credentials are not the account's keys."""
        return user == self._user and hmac.compare_digest(password, self._password)

    def taken(self, message_id: str) -> str:
        """In the vendor's words."""
        return f"250 Ok {message_id}"

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail without the headers that speak to the service."""
        said, data = split_own_headers(mail.data)
        set_name = said.get("x-ses-configuration-set")
        if not self._sets.has(set_name):
            raise SmtpRefusedError(f"554 Configuration set <{set_name}> does not exist.")
        tags = _tags(said.get("x-ses-message-tags", ""))
        message_id = new_message_id()
        tracks = self._sets.tracks(set_name)
        return mail.copies(
            self._name,
            message_id,
            data,
            f"<{message_id}@{self._region}.amazonses.com>",
            handover=tags.get(HANDOVER_KEY),
            metadata=tags,
            more={"configuration_set": set_name} if set_name else {},
            track_opens=tracks,
            track_clicks=tracks,
        )


def split_own_headers(data: bytes) -> tuple[dict[str, str], bytes]:
    """What the service's own headers say, by lower-case names, and the mail without them."""
    head, gap, body = data.partition(b"\r\n\r\n")
    head += b"\r\n"
    said = {name.decode().lower(): value.decode().strip() for name, value in _OWN.findall(head)}
    rest = _OWN.sub(b"", head)
    return said, rest.removesuffix(b"\r\n") + gap + body


def _tags(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {name.strip(): value.strip() for name, _, value in pairs}
