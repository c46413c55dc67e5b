"""The transmissions API as far as sending needs it.

developers.sparkpost.com/api (authentication, errors) and .../api/transmissions, read 2026-11-24.
Recipients that are refused are counted, and the others are sent.
"""

import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from email import message_from_string, policy
from typing import Any

from aiohttp import BasicAuth, web

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.sparkpost.checks import (
    CONTENT_BYTES_MAX,
    METADATA_BYTES_MAX,
    Flaw,
    address_of,
    content_flaws,
    domain_flaws,
    missing,
    recipient_flaw,
    sender_of,
    wrong,
)
from postroom.simulator.faces.sparkpost.searching import Search
from postroom.simulator.faces.sparkpost.settings import Settings
from postroom.simulator.faces.sparkpost.template import SyntaxFlawError, render
from postroom.simulator.http_door import House, HttpDoor, NotTakenError
from postroom.simulator.links import first_link
from postroom.simulator.smtp_mail import addresses
from postroom.simulator.truth import digest_of_content, digest_of_mail, digest_of_rest

PATH = "/api/v1/transmissions"
EVENTS_PATH = "/api/v1/events/message"

_TROUBLES: dict[int, Flaw] = {
    400: Flaw("1200", "invalid params"),
    401: Flaw("", "Unauthorized."),
    403: Flaw("", "Forbidden."),
    404: Flaw("1600", "resource not found"),
    405: Flaw("1102", "invalid HTTP method"),
    413: Flaw("", "Request Entity Too Large"),
    420: Flaw("2102", "Exceed Sending Limit (daily)"),
    429: Flaw("", "Too many requests"),
    503: Flaw("1900", "Message generation module not available"),
}


def new_transmission_id() -> str:
    """As the vendor counts them."""
    return str(10**17 + secrets.randbelow(9 * 10**17))


class Api(HttpDoor):
    """The vendor's path."""

    body_bytes_max = 50 * 1024 * 1024

    def __init__(self, name: str, settings: Settings, house: House) -> None:
        super().__init__(name, house)
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """Sending, with and without the slash that the vendor ignores, and a check of the key."""
        return [
            web.post(PATH, self.transmissions),
            web.post(f"{PATH}/", self.transmissions),
            web.get("/api/v1/account", self.account),
            web.get(EVENTS_PATH, self.events),
        ]

    async def transmissions(self, request: web.Request) -> web.StreamResponse:
        """200 once the truth log has the mails on disk."""
        if refusal := self._unauthorized(request):
            return refusal
        if request.content_type != "application/json":
            return _refused([Flaw("1700", "Unsupported Content-Type header", "", 415)])
        return await self.call(request, self._take)

    async def account(self, request: web.Request) -> web.StreamResponse:
        """What the key belongs to."""
        told = {"results": {"company_name": self.name, "status": "active"}}
        return self._unauthorized(request) or web.json_response(told)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """A page of what happened, and the address of the next one if there is more."""
        if refusal := self._unauthorized(request):
            return refusal
        try:
            search = Search.asked(request.query)
        except (ValueError, LookupError):
            return self.in_trouble(400)
        told = await self.house.office.past(self.name, search.since, search.until)
        return web.json_response(search.answer(told, EVENTS_PATH))

    def in_trouble(self, status: int) -> web.Response:
        """One error that has nothing to do with the mail."""
        usual = Flaw("", "Internal Server Error")
        return _refused([_TROUBLES.get(status, usual)._replace(status=status)])

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        """The key alone, or as a user without a password."""
        given = request.headers.get("Authorization", "")
        if given.startswith("Basic "):
            try:
                given = BasicAuth.decode(given).login
            except ValueError:
                return self.in_trouble(401)
        known = hmac.compare_digest(given.encode(errors="replace"), self._settings.api_key.encode())
        return None if known else self.in_trouble(401)

    async def _take(self, body: bytes) -> web.Response:
        told = self._read(body)
        flaws = [recipient_flaw(each, self.house.seed) for each in told["recipients"]]
        good = [each for each, flaw in zip(told["recipients"], flaws, strict=True) if flaw is None]
        if not good:
            none = Flaw("5002", "At least one valid recipient is required", "", 400)
            raise NotTakenError(_refused([none]))
        transmission_id = new_transmission_id()
        await self.house.office.take(self._copies(told, good, transmission_id))
        return web.json_response(_answer(transmission_id, len(good), list(filter(None, flaws))))

    def _read(self, body: bytes) -> dict[str, Any]:
        """The transmission, free of flaws; raises NotTakenError."""
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NotTakenError(self.in_trouble(400)) from error
        found = self._flaws(told)
        if found:
            raise NotTakenError(_refused(found))
        checked: dict[str, Any] = told
        return checked

    def _flaws(self, told: Any) -> list[Flaw]:
        if not isinstance(told, dict):
            return [wrong("the body must be an object")]
        recipients = told.get("recipients")
        if not isinstance(recipients, list) or not recipients:
            return [missing("recipients or list_id required")]
        found = list(content_flaws(told.get("content"), self._settings.verified_domains))
        if len(json.dumps(told.get("content"))) > CONTENT_BYTES_MAX:
            found.append(wrong("the content is larger than 20 MB"))
        if any(len(json.dumps(_metadata(told, each))) > METADATA_BYTES_MAX for each in recipients):
            found.append(wrong("metadata is limited to 1000 bytes"))
        return found

    def _copies(
        self, told: dict[str, Any], recipients: Sequence[Mapping[str, Any]], id: str
    ) -> list[Copy]:
        options = {"open_tracking": True, "click_tracking": True, **(told.get("options") or {})}
        now = time.time()
        shared: dict[str, Any] = {
            "face": self.name,
            "message_id": id,
            "door": "http",
            "taken_at": now,
            "starts_at": now,
            "seed": self.house.seed,
            "track_opens": bool(options["open_tracking"]),
            "track_clicks": bool(options["click_tracking"]),
            "silent_share": self.house.silent_share,
        }
        make = self._finished if "email_rfc822" in told["content"] else self._made
        try:
            return [
                Copy(number=number, **shared, **_own(told, each), **make(told, each, id, number))
                for number, each in enumerate(recipients)
            ]
        except SyntaxFlawError as error:
            flaw = Flaw("3000", "substitution language syntax error in template content")
            raise NotTakenError(_refused([flaw._replace(description=str(error))])) from error

    def _made(
        self, told: dict[str, Any], recipient: Mapping[str, Any], id: str, number: int
    ) -> dict[str, Any]:
        """What this recipient gets of a content in fields."""
        content, address = told["content"], address_of(recipient)
        texts = {
            name: _filled(told, recipient, content.get(name) or "", page=name == "html")
            for name in ("subject", "text", "html")
        }
        kinds = (("text/plain", "text"), ("text/html", "html"))
        contents = [(kind, texts[name]) for kind, name in kinds if texts[name]]
        files = [*(content.get("attachments") or []), *(content.get("inline_images") or [])]
        return {
            "sender": sender_of(content),
            "to": (address.get("header_to") or address["email"],),
            "cc": (),
            "digest": digest_of_content(texts["subject"], contents, digest_of_rest(files)),
            "header_message_id": f"<{id}.{number}@sparkpostmail.example>",
            "url": first_link([text for _, text in contents]),
            "more": {"subject": texts["subject"]},
        }

    def _finished(
        self, told: dict[str, Any], recipient: Mapping[str, Any], id: str, number: int
    ) -> dict[str, Any]:
        """What this recipient gets of a mail that came whole."""
        mail = _filled(told, recipient, told["content"]["email_rfc822"], page=False)
        headers = message_from_string(mail.partition("\r\n\r\n")[0], policy=policy.default)
        sender = next(iter(addresses(headers, "From")), "")
        if found := list(domain_flaws(sender, self._settings.verified_domains)):
            raise NotTakenError(_refused(found))
        usual = f"<{id}.{number}@sparkpostmail.example>"
        return {
            "sender": sender,
            "to": addresses(headers, "To"),
            "cc": addresses(headers, "Cc"),
            "digest": digest_of_mail(mail.encode(errors="surrogatepass")),
            "header_message_id": str(headers["Message-ID"] or usual).strip(),
            "url": first_link([mail]),
            "more": {"subject": str(headers["Subject"] or "")},
        }


def _own(told: Mapping[str, Any], recipient: Mapping[str, Any]) -> dict[str, Any]:
    metadata = _metadata(told, recipient)
    return {
        "recipient": address_of(recipient)["email"],
        "handover": metadata.get(HANDOVER_KEY),
        "metadata": metadata,
        "tags": tuple(recipient.get("tags") or ()),
    }


def _metadata(told: Mapping[str, Any], recipient: object) -> dict[str, Any]:
    own = recipient.get("metadata") if isinstance(recipient, Mapping) else None
    return {**(told.get("metadata") or {}), **(own or {})}


def _filled(told: Mapping[str, Any], recipient: Mapping[str, Any], text: str, page: bool) -> str:
    if (told.get("options") or {}).get("perform_substitutions") is False:
        return text
    address = address_of(recipient)
    data = {
        **_metadata(told, recipient),
        **(told.get("substitution_data") or {}),
        **(recipient.get("substitution_data") or {}),
        "address": address,
        "email": address["email"],
    }
    return render(text, data, page)


def _answer(id: str, accepted: int, flaws: Sequence[Flaw]) -> dict[str, Any]:
    results: dict[str, Any] = {
        "total_rejected_recipients": len(flaws),
        "total_accepted_recipients": accepted,
        "id": id,
    }
    if not flaws:
        return {"results": results}
    results["rcpt_to_errors"] = [flaw.told() for flaw in flaws]
    created = Flaw("2000", "transmission created, but with validation errors")
    return {"errors": [created.told()], "results": results}


def _refused(found: Sequence[Flaw]) -> web.Response:
    return web.json_response({"errors": [flaw.told() for flaw in found]}, status=found[0].status)
