"""The HTTP face: SendGrid v3 as far as sending needs it.

Paths, answers and headers follow twilio.com/docs/sendgrid/api-reference (Mail Send, errors, rate
limits), read 2026-11-24. The vendor's official clients work against it unchanged.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from postroom.simulator.bearer import knows_key
from postroom.simulator.config import Config
from postroom.simulator.flaws import Flaw
from postroom.simulator.mail_send import request_flaws
from postroom.simulator.mischief import Act, Troublemaker
from postroom.simulator.post_office import PostOffice
from postroom.simulator.taking import Request, new_message_id, refused_recipients

BODY_BYTES_MAX = 30 * 1024 * 1024
"""The vendor's limit for a mail with its attachments."""
HANG_S = 600.0
"""A call that is never answered is let go after this: the longest a caller will wait."""
HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"
SCOPES = [
    "mail.batch.create",
    "mail.send",
    "sender_verification_eligible",
    "user.scheduled_sends.read",
]

_REFUSALS: dict[int, str] = {
    400: "Bad Request",
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "access forbidden",
    413: "The JSON payload you have included in your request is too large.",
}


class RefusedError(Exception):
    """The call is refused for these flaws."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(f"refused for {len(flaws)} flaws")
        self.flaws = flaws


class SendGrid:
    """Routes of the vendor's API."""

    def __init__(self, config: Config, office: PostOffice, trouble: Troublemaker) -> None:
        self._config, self._office, self._trouble = config, office, trouble

    def routes(self) -> list[web.RouteDef]:
        """What the server has to serve."""
        return [
            web.post("/v3/mail/send", self.mail_send),
            web.get("/v3/scopes", self.scopes),
        ]

    async def scopes(self, request: web.Request) -> web.StreamResponse:
        """What the key may do: the cheapest way to check a key."""
        return self._unauthorized(request) or self._answer(200, {"scopes": SCOPES})

    async def mail_send(self, request: web.Request) -> web.StreamResponse:
        """202 once the truth log has it on disk; see `mail_send` for what is refused."""
        refusal = self._unauthorized(request)
        if refusal is not None:
            return refusal
        try:
            return await self._heard(request)
        except RefusedError as refused:
            self._office.counts["calls refused"] += 1
            return self._refused(refused.flaws)

    async def _heard(self, request: web.Request) -> web.StreamResponse:
        """The answer to a caller whom we know; raises RefusedError."""
        # Read before any wait: a caller who goes away in the meantime has been heard all the same.
        body = await _body(request)
        wait_s = self._trouble.latency_s() / 2
        await asyncio.sleep(wait_s)
        trouble = await self._mischief(self._trouble.before(), request)
        if trouble is not None:
            return trouble
        payload = self._payload(body)
        if payload.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return self._answer(200, None)
        message_id = await self._take(payload)
        await asyncio.sleep(wait_s)
        trouble = await self._mischief(self._trouble.after(), request)
        return trouble or self._answer(202, None, {"X-Message-Id": message_id})

    async def _take(self, payload: dict[str, Any]) -> str:
        message_id, config = new_message_id(), self._config
        copies = Request(payload, config.seed, config.silent_share).copies(message_id, time.time())
        await self._office.take(copies)
        return message_id

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization")
        if given is None:
            return self._refused([Flaw("authorization required", None, 401)])
        if knows_key(given, self._config.api_key):
            return None
        return self._refused([Flaw(_REFUSALS[401], None, 401)])

    def _payload(self, body: bytes) -> dict[str, Any]:
        """The request, free of flaws; raises RefusedError."""
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RefusedError([Flaw(_REFUSALS[400], None)]) from error
        found = request_flaws(payload, self._config.verified_domains)
        found = found or refused_recipients(payload, self._config.seed)
        if found:
            raise RefusedError(found)
        checked: dict[str, Any] = payload
        return checked

    async def _mischief(self, act: Act, request: web.Request) -> web.StreamResponse | None:
        mischief = self._trouble.mischief
        match act:
            case Act.NOTHING:
                return None
            case Act.TOO_MANY:
                return self._too_many()
            case Act.REFUSE:
                status = mischief.refuse_status
                return self._refused([Flaw(_REFUSALS.get(status, "refused"), None, status)])
            case Act.ERROR:
                return self._refused([Flaw("service unavailable", None, mischief.error_status)])
            case Act.HANG:
                await asyncio.sleep(HANG_S)
            case Act.HALF if request.transport:
                request.transport.write(b"HTTP/1.1 202 Accepted\r\nX-Message")
        return _cut(request)

    def _too_many(self) -> web.Response:
        body = {"errors": [{"field": None, "message": "too many requests"}]}
        return self._answer(429, body, {"X-RateLimit-Remaining": "0"})

    def _refused(self, found: Sequence[Flaw]) -> web.Response:
        errors = [
            {"message": flaw.message, "field": flaw.field, "help": _help(flaw.field)}
            for flaw in found
        ]
        return self._answer(found[0].status, {"errors": errors})

    def _answer(
        self, status: int, body: object, headers: dict[str, str] | None = None
    ) -> web.Response:
        limit = self._trouble.mischief.throttle_per_s or 10_000
        rate = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(self._trouble.calls_left()),
            "X-RateLimit-Reset": str(int(time.time()) + 1),
        }
        text = "" if body is None else json.dumps(body)
        kind = "text/plain" if body is None else "application/json"
        return web.Response(
            status=status, text=text, content_type=kind, headers={**rate, **(headers or {})}
        )


async def _body(request: web.Request) -> bytes:
    """The whole body; raises RefusedError for one that is not to be read."""
    if request.content_type != "application/json":
        raise RefusedError([Flaw("Content-Type should be application/json.", None, 415)])
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise RefusedError([Flaw(_REFUSALS[413], None, 413)]) from error


def _help(field: str | None) -> str | None:
    if field is None:
        return None
    names = [part for part in field.split(".") if not part.isdigit()]
    return f"{HELP}#message.{'.'.join(names[:2])}"


def _cut(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer; what the handler returns goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


@web.middleware
async def vendor_shape(request: web.Request, handler: Any) -> web.StreamResponse:
    """Unknown routes and methods, in the vendor's shape of an error."""
    try:
        answer: web.StreamResponse = await handler(request)
    except ConnectionResetError:
        return _cut(request)  # the caller went away in the middle of the body
    except web.HTTPException as error:
        if error.status not in (404, 405):
            raise
        body = {"errors": [{"message": error.reason.lower(), "field": None, "help": None}]}
        return web.json_response(body, status=error.status)
    return answer
