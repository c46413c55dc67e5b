"""The vendors that take mails for many copies as one JSON body, and how each is read."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from postroom.domain.content import Content
from postroom.providers import brevo, mailjet, postmark, resend, sparkpost
from postroom.providers.base import Account, Call, Carrier, Copy, RawMail
from tests.providers.mail_making import copy

RAW = RawMail("a@example.com", {copy(1).handover_id: (b"Subject: x\r\n\r\nx\r\n",)}, {})
"""A finished mail to the copy with number 1."""
_EXPRESSION = re.compile(r"\{\{\{([A-Za-z]\w*)\}\}\}")


class Told(NamedTuple):
    """What one copy's recipient gets, and by which id it is known."""

    address: str
    handover: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor."""

    carrier: Callable[[], Carrier]
    account: Account
    copies_max: int
    """In one call."""
    pieces: Callable[[Call], list[dict[str, Any]]]
    """What stands in a call for each copy alone."""
    told: Callable[[Call], list[Told]]
    braces: bool = True
    """Whether values may hold the braces of the vendor's own language."""

    def compose(self, content: Content | RawMail, *to: Copy) -> list[Call]:
        """The calls that carry the mail."""
        return self.carrier().compose(self.account, content, to)


def payload(call: Call) -> dict[str, Any]:
    """A body that is one object."""
    found = json.loads(call.body())
    assert isinstance(found, dict)
    return found


def _listed(call: Call) -> list[dict[str, Any]]:
    found = json.loads(call.body())
    return found if isinstance(found, list) else [found]


def _in(name: str) -> Callable[[Call], list[dict[str, Any]]]:
    return lambda call: list(payload(call)[name])


def _only(values: list[Any]) -> Any:
    (value,) = values
    return value


def _after(beginning: str, text: str) -> str:
    assert text.startswith(beginning)
    return text.removeprefix(beginning)


def rendered(told: Mapping[str, Any], text: str, number: int = 0) -> str:
    """The text as SparkPost makes it: a value is written out and not looked at again."""
    data = told.get("substitution_data", {}) | told["recipients"][number].get(
        "substitution_data", {}
    )
    assert not re.search(r"\{\{|\}\}", _EXPRESSION.sub("", text))
    return _EXPRESSION.sub(lambda name: data[name[1]], text)


def _told_postmark(call: Call) -> list[Told]:
    return [
        Told(
            one["To"],
            one["Metadata"]["postroom_handover"],
            one["Subject"],
            one["TextBody"],
            one["HtmlBody"],
        )
        for one in _listed(call)
    ]


def _told_mailjet(call: Call) -> list[Told]:
    told = payload(call)
    whole = (told["Globals"] | message for message in told["Messages"])
    return [
        Told(
            _only(one["To"])["Email"],
            one["CustomID"],
            one["Subject"],
            one["TextPart"],
            one["HTMLPart"],
        )
        for one in whole
    ]


def _told_sparkpost(call: Call) -> list[Told]:
    told = payload(call)
    return [
        Told(
            one["address"]["email"],
            one["metadata"]["postroom_handover"],
            *(rendered(told, told["content"][name], n) for name in ("subject", "text", "html")),
        )
        for n, one in enumerate(told["recipients"])
    ]


def _told_brevo(call: Call) -> list[Told]:
    told = payload(call)
    whole = (told | version for version in told["messageVersions"])
    return [
        Told(
            _only(one["to"])["email"],
            _after("postroom_handover:", one["headers"]["X-Mailin-custom"]),
            one["subject"],
            one["textContent"],
            one["htmlContent"],
        )
        for one in whole
    ]


def _told_resend(call: Call) -> list[Told]:
    return [
        Told(
            _only(one["to"]),
            {tag["name"]: tag["value"] for tag in one["tags"]}["postroom_handover"],
            one["subject"],
            one["text"],
            one["html"],
        )
        for one in _listed(call)
    ]


POSTMARK = Vendor(
    postmark.PostmarkCarrier,
    Account(1, "pm", "postmark", False, {"server_token": "t"}),
    500,
    _listed,
    _told_postmark,
)
MAILJET = Vendor(
    mailjet.MailjetCarrier,
    Account(1, "mj", "mailjet", False, {"api_key": "a", "api_secret": "b"}),
    50,
    _in("Messages"),
    _told_mailjet,
)
SPARKPOST = Vendor(
    sparkpost.SparkPostCarrier,
    Account(1, "sp", "sparkpost", False, {"api_key": "k"}),
    2_000,
    _in("recipients"),
    _told_sparkpost,
)
BREVO = Vendor(
    brevo.BrevoCarrier,
    Account(1, "br", "brevo", False, {"api_key": "xkeysib-1"}),
    1_000,
    _in("messageVersions"),
    _told_brevo,
    braces=False,
)
RESEND = Vendor(
    resend.ResendCarrier,
    Account(1, "re", "resend", False, {"api_key": "re_1"}),
    100,
    _listed,
    _told_resend,
)
