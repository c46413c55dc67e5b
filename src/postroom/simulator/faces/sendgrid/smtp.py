"""The vendor's SMTP interface with its X-SMTPAPI header.

User `apikey`, password the account's key. twilio.com/docs/sendgrid/for-developers/sending-email
(integrating with the SMTP API, building an X-SMTPAPI header), read 2026-11-24. Of the header,
`unique_args`, `category`, `send_at` and the tracking filters are simulated; recipients and
substitutions in it are refused, because nobody here sends them.
"""

import hmac
import json
import re
from typing import Any

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.sendgrid.taking import new_message_id
from postroom.simulator.smtp_mail import SmtpMail, SmtpRefusedError, SmtpRoad

USER = b"apikey"
HEADER = re.compile(rb"^X-SMTPAPI:(.*\r\n(?:[ \t].*\r\n)*)", re.IGNORECASE | re.MULTILINE)
BAD_HEADER = "Invalid SMTPAPI header"
"""The vendor takes such a mail and drops it with this reason."""
NOT_SIMULATED = frozenset({"to", "sub", "section"})


class SmtpApi(SmtpRoad):
    """What the vendor's listener takes."""

    def __init__(self, name: str, api_key: str) -> None:
        self._name, self._api_key = name, api_key.encode()

    def knows(self, user: bytes, password: bytes) -> bool:
        """The user is the same for all accounts."""
        return user == USER and hmac.compare_digest(password, self._api_key)

    def refusal(self, address: str) -> str:
        """In the vendor's words."""
        return f"550 5.1.3 Invalid RCPT TO address provided: <{address}>"

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail without the header, told of with what the header says."""
        api, data = split_api_header(mail.data)
        if api is not None and NOT_SIMULATED & api.keys():
            raise SmtpRefusedError(
                "554 5.3.3 This simulator takes no recipients or substitutions in X-SMTPAPI"
            )
        flaw = BAD_HEADER if api is None else None
        api, message_id = api or {}, new_message_id()
        args = {key: str(value) for key, value in api.get("unique_args", {}).items()}
        category = api.get("category", [])
        return mail.copies(
            self._name,
            message_id,
            data,
            f"<{message_id}@geopod-ismtpd-1>",
            starts_at=max(mail.taken_at, api.get("send_at", 0)),
            handover=args.get(HANDOVER_KEY),
            metadata=args,
            tags=(category,) if isinstance(category, str) else tuple(category),
            track_opens=_filter_on(api, "opentrack"),
            track_clicks=_filter_on(api, "clicktrack"),
            flaw=flaw,
        )


def split_api_header(data: bytes) -> tuple[dict[str, Any] | None, bytes]:
    """What the first X-SMTPAPI header says, and the mail without any.

    Nothing said is {}; None when the header is not the JSON object that the vendor asks for.
    """
    head, gap, body = data.partition(b"\r\n\r\n")
    head += b"\r\n"
    found = HEADER.search(head)
    if found is None:
        return {}, data
    rest = HEADER.sub(b"", head)
    return _api(found.group(1)), rest.removesuffix(b"\r\n") + gap + body


def _api(text: bytes) -> dict[str, Any] | None:
    try:
        api = json.loads(text.replace(b"\r\n", b""))
    except ValueError:
        return None
    well_formed = (
        isinstance(api, dict)
        and isinstance(api.get("unique_args", {}), dict)
        and isinstance(api.get("category", []), list | str)
        and isinstance(api.get("send_at", 0), int)
        and isinstance(api.get("filters", {}), dict)
    )
    return api if well_formed else None


def _filter_on(api: dict[str, Any], name: str) -> bool:
    """Whether this kind of tracking is on: unless the header turns it off, as in a new account."""
    settings = api.get("filters", {}).get(name, {})
    return bool(settings.get("settings", {}).get("enable", 1)) if settings else True
