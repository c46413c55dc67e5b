"""The Send API v3.1: up to 50 messages a call, each taken or refused by itself.

dev.mailjet.com: guides, Send API v3.1; API overview, status codes; read 2026-11-24.
"""

import hmac
import json
import secrets
import time
from typing import Any
from uuid import uuid4

from aiohttp import BasicAuth, web

from postroom.simulator.copies import Copy
from postroom.simulator.faces.mailjet.checks import (
    MESSAGES_MAX,
    Flaw,
    flaws,
    people_in,
    recipients_of,
)
from postroom.simulator.faces.mailjet.settings import Settings
from postroom.simulator.http_door import House, HttpDoor, NotTakenError
from postroom.simulator.links import first_link
from postroom.simulator.truth import digest_of_content, digest_of_rest

_TROUBLES = {
    400: Flaw("mj-0002", "Malformed JSON, please review the syntax and properties types.", ""),
    401: Flaw(
        "mj-0000", "API key authentication/authorization failure. You may be unauthorized.", ""
    ),
    403: Flaw("mj-0015", "You are not authorized to access this resource.", ""),
    413: Flaw("mj-0032", "The request is larger than the limit.", ""),
    429: Flaw("mj-0029", "The maximum number of calls allowed per minute is reached.", ""),
}


def new_message_id() -> int:
    """As the vendor counts them: more digits than a JavaScript number holds."""
    return 10**17 + secrets.randbelow(9 * 10**17)


class Api(HttpDoor):
    """The vendor's path."""

    body_bytes_max = 15 * 1024 * 1024

    def __init__(self, name: str, settings: Settings, house: House) -> None:
        super().__init__(name, house)
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """Sending, and what tells whether the keys are good."""
        return [
            web.post("/v3.1/send", self.send),
            web.get("/v3/REST/apikey", self.keys),
        ]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """200 once the truth log has the mails on disk; 400 when one of them was refused."""
        return self._unauthorized(request) or await self.call(request, self._take)

    async def keys(self, request: web.Request) -> web.StreamResponse:
        """The key itself."""
        told = {"Count": 1, "Data": [{"APIKey": self._settings.api_key, "IsActive": True}]}
        return self._unauthorized(request) or web.json_response(told)

    def in_trouble(self, status: int) -> web.Response:
        """An error of the whole call."""
        usual = Flaw("mj-0001", "Something went wrong on our side.", "")
        return _refused(_TROUBLES.get(status, usual)._replace(status=status))

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        try:
            given = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            return self.in_trouble(401)
        known = hmac.compare_digest(given.password.encode(), self._settings.api_secret.encode())
        return None if known and given.login == self._settings.api_key else self.in_trouble(401)

    async def _take(self, body: bytes) -> web.Response:
        messages, sandbox = self._read(body)
        results = [self._result(message, sandbox) for message in messages]
        all_well = all(result["Status"] == "success" for result, _ in results)
        answer = web.json_response(
            {"Messages": [result for result, _ in results]}, status=200 if all_well else 400
        )
        copies = [copy for _, some in results for copy in some]
        if not copies:
            raise NotTakenError(answer)
        await self.house.office.take(copies)
        return answer

    def _read(self, body: bytes) -> tuple[list[Any], bool]:
        """The messages, each with what the globals say, and whether nothing is to be sent."""
        try:
            told = json.loads(body)
            messages, shared = told["Messages"], told.get("Globals") or {}
            given = [{**shared, **each} if isinstance(each, dict) else each for each in messages]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise NotTakenError(self.in_trouble(400)) from error
        if not 0 < len(given) <= MESSAGES_MAX:
            text = f"A call has 1 to {MESSAGES_MAX} messages; this has {len(given)}."
            raise NotTakenError(_refused(Flaw("mj-0005", text, "Messages")))
        return given, told.get("SandboxMode") is True

    def _result(self, message: Any, sandbox: bool) -> tuple[dict[str, Any], list[Copy]]:
        """The vendor's answer for one message, and what is taken of it."""
        found = list(flaws(message, self._settings.verified_domains, self.house.seed))
        if found:
            return {"Status": "error", "Errors": [_error(flaw) for flaw in found]}, []
        ids = [new_message_id() for _ in recipients_of(message)]
        result: dict[str, Any] = {
            "Status": "success",
            "CustomID": message.get("CustomID") or "",
        }
        rest = list(ids)
        for name in ("To", "Cc", "Bcc"):
            result[name] = [_told(each, rest.pop(0)) for each in people_in(message, name)]
        return result, [] if sandbox else self._copies(message, ids)

    def _copies(self, message: dict[str, Any], ids: list[int]) -> list[Copy]:
        kinds = (("text/plain", "TextPart"), ("text/html", "HTMLPart"))
        contents = [(kind, message[name]) for kind, name in kinds if message.get(name)]
        files = [*(message.get("Attachments") or []), *(message.get("InlinedAttachments") or [])]
        now, subject = time.time(), message.get("Subject") or ""
        shared: dict[str, Any] = {
            "face": self.name,
            "door": "http",
            "sender": message["From"]["Email"],
            "to": tuple(people_in(message, "To")),
            "cc": tuple(people_in(message, "Cc")),
            "digest": digest_of_content(subject, contents, digest_of_rest(files)),
            "taken_at": now,
            "starts_at": now,
            "seed": self.house.seed,
            "handover": message.get("CustomID"),
            "url": first_link([text for _, text in contents]),
            "track_opens": message.get("TrackOpens") != "disabled",
            "track_clicks": message.get("TrackClicks") != "disabled",
            "silent_share": self.house.silent_share,
            "more": {"payload": message.get("EventPayload") or ""},
        }
        return [
            Copy(
                number=number,
                recipient=recipient,
                message_id=str(id),
                header_message_id=f"<{id}@mailjet.com>",
                **shared,
            )
            for number, (recipient, id) in enumerate(zip(recipients_of(message), ids, strict=True))
        ]


def _told(address: str, id: int) -> dict[str, Any]:
    href = f"https://api.mailjet.com/v3/REST/message/{id}"
    return {"Email": address, "MessageUUID": str(uuid4()), "MessageID": id, "MessageHref": href}


def _error(flaw: Flaw) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ErrorIdentifier": str(uuid4()),
        "ErrorCode": flaw.code,
        "StatusCode": flaw.status,
        "ErrorMessage": flaw.message,
    }
    return {**told, "ErrorRelatedTo": [flaw.related]} if flaw.related else told


def _refused(flaw: Flaw) -> web.Response:
    return web.json_response(_error(flaw), status=flaw.status)
