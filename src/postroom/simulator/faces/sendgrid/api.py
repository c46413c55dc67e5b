"""The HTTP face: SendGrid v3 as far as sending needs it.

Paths, answers and headers follow twilio.com/docs/sendgrid/api-reference (Mail Send, Email Logs,
errors, rate limits), read 2026-11-24. The vendor's official clients work against it unchanged.
"""

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web

from postroom.simulator.bearer import knows_key
from postroom.simulator.faces.sendgrid import logs
from postroom.simulator.faces.sendgrid.flaws import Flaw
from postroom.simulator.faces.sendgrid.mail_send import request_flaws
from postroom.simulator.faces.sendgrid.taking import (
    Request,
    new_message_id,
    refused_recipients,
)
from postroom.simulator.http_door import House, HttpDoor, NotTakenError

HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"
SCOPES = [
    "mail.batch.create",
    "mail.send",
    "sender_verification_eligible",
    "user.scheduled_sends.read",
]

_TROUBLES: dict[int, str] = {
    400: "Bad Request",
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "access forbidden",
    404: "not found",
    405: "method not allowed",
    413: "The JSON payload you have included in your request is too large.",
}


class Api(HttpDoor):
    """The vendor's paths."""

    def __init__(
        self, name: str, api_key: str, verified_domains: Iterable[str] | None, house: House
    ) -> None:
        super().__init__(name, house)
        self._api_key, self._verified_domains = api_key, verified_domains

    def routes(self) -> list[web.RouteDef]:
        """Sending, what tells whether the key is good, and what became of mails."""
        return [
            web.post("/v3/mail/send", self.mail_send),
            web.get("/v3/scopes", self.scopes),
            web.post("/v3/logs", self.search),
            web.get("/v3/logs/{id}", self.message),
        ]

    async def scopes(self, request: web.Request) -> web.StreamResponse:
        """What the key may do: the cheapest way to check a key."""
        return self._unauthorized(request) or self._answer(200, {"scopes": SCOPES})

    async def mail_send(self, request: web.Request) -> web.StreamResponse:
        """202 once the truth log has it on disk; see `mail_send` for what is refused."""
        refusal = self._unauthorized(request)
        if refusal is not None:
            return refusal
        if request.content_type != "application/json":
            return self._refused([Flaw("Content-Type should be application/json.", None, 415)])
        return await self.call(request, self._take)

    async def search(self, request: web.Request) -> web.StreamResponse:
        """Mails to a recipient, taken in a stretch of time."""
        if refusal := self._unauthorized(request):
            return refusal
        try:
            search = logs.Search.asked(await request.read())
        except (ValueError, TypeError, LookupError, AttributeError):
            return self._refused([Flaw("invalid query", None, 400)])
        return self._answer(200, search.answer(await self._past()))

    async def message(self, request: web.Request) -> web.StreamResponse:
        """All events of one mail."""
        if refusal := self._unauthorized(request):
            return refusal
        found = logs.message(await self._past(), request.match_info["id"])
        return self.in_trouble(404) if found is None else self._answer(200, found)

    async def _past(self) -> list[str]:
        return await self.house.office.past(self.name, 0.0, time.time())

    def in_trouble(self, status: int) -> web.Response:
        """One error without a field; 429 in the shape of the vendor's gateway."""
        if status == 429:
            body = {"errors": [{"field": None, "message": "too many requests"}]}
            return self._answer(429, body, {"X-RateLimit-Remaining": "0"})
        otherwise = "service unavailable" if status >= 500 else "refused"
        return self._refused([Flaw(_TROUBLES.get(status, otherwise), None, status)])

    async def _take(self, body: bytes) -> web.Response:
        payload = self._payload(body)
        if payload.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            raise NotTakenError(self._answer(200, None))
        house, message_id = self.house, new_message_id()
        call = Request(self.name, payload, house.seed, house.silent_share)
        await house.office.take(call.copies(message_id, time.time()))
        return self._answer(202, None, {"X-Message-Id": message_id})

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization")
        if given is None:
            return self._refused([Flaw("authorization required", None, 401)])
        return None if knows_key(given, self._api_key) else self.in_trouble(401)

    def _payload(self, body: bytes) -> dict[str, Any]:
        """The request, free of flaws; raises NotTakenError."""
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NotTakenError(self.in_trouble(400)) from error
        found = request_flaws(payload, self._verified_domains)
        found = found or refused_recipients(payload, self.house.seed)
        if found:
            raise NotTakenError(self._refused(found))
        checked: dict[str, Any] = payload
        return checked

    def _refused(self, found: Sequence[Flaw]) -> web.Response:
        errors = [
            {"message": flaw.message, "field": flaw.field, "help": _help(flaw.field)}
            for flaw in found
        ]
        return self._answer(found[0].status, {"errors": errors})

    def _answer(
        self, status: int, body: object, headers: dict[str, str] | None = None
    ) -> web.Response:
        limit = self.house.trouble.mischief.throttle_per_s or 10_000
        rate = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(self.house.trouble.calls_left()),
            "X-RateLimit-Reset": str(int(time.time()) + 1),
        }
        text = "" if body is None else json.dumps(body)
        kind = "text/plain" if body is None else "application/json"
        return web.Response(
            status=status, text=text, content_type=kind, headers={**rate, **(headers or {})}
        )


def _help(field: str | None) -> str | None:
    if field is None:
        return None
    names = [part for part in field.split(".") if not part.isdigit()]
    return f"{HELP}#message.{'.'.join(names[:2])}"
