"""The messages API: fields of a form, or a whole MIME message; and the events API.

documentation.mailgun.com/docs/mailgun/api-reference, Messages, Domains and Events, read
2026-11-24. Basic auth of the user `api`. A message is refused as a whole.
"""

import hmac
import json

from aiohttp import BasicAuth, web

from postroom.simulator.faces.mailgun.form import FormError, fields_of
from postroom.simulator.faces.mailgun.messages import Message, flaws
from postroom.simulator.faces.mailgun.paging import Page
from postroom.simulator.faces.mailgun.settings import Settings
from postroom.simulator.faces.mailgun.taking import Taking
from postroom.simulator.http_door import House, HttpDoor, NotTakenError

_TROUBLES = {
    400: "Bad Request",
    403: "Domain is not allowed to send: The account is disabled",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
}


class Api(HttpDoor):
    """The vendor's paths."""

    body_bytes_max = 25 * 1024 * 1024

    def __init__(self, name: str, settings: Settings, house: House) -> None:
        super().__init__(name, house)
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """Sending, and what tells whether key and domain are good."""
        return [
            web.post("/v3/{domain}/messages", self.messages),
            web.post("/v3/{domain}/messages.mime", self.mime),
            web.get("/v4/domains/{domain}", self.domain),
            web.get("/v3/{domain}/events", self.events),
            web.get("/v3/{domain}/events/{page}", self.events),
        ]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """200 once the truth log has it on disk."""
        return self._refusal(request) or await self.call(
            request, lambda body: self._take(request, body, is_mime=False)
        )

    async def mime(self, request: web.Request) -> web.StreamResponse:
        """The same for a message that is made already."""
        return self._refusal(request) or await self.call(
            request, lambda body: self._take(request, body, is_mime=True)
        )

    async def domain(self, request: web.Request) -> web.StreamResponse:
        """Whether the domain may send."""
        told = {"domain": {"name": request.match_info["domain"], "state": "active"}}
        return self._refusal(request) or web.json_response(told)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """A page of what happened, with the address of the next one, until an empty one."""
        if refusal := self._refusal(request):
            return refusal
        try:
            page = Page.asked(request.match_info.get("page"), request.query)
        except (ValueError, TypeError, LookupError):
            return self.in_trouble(400)
        told = await self.house.office.past(self.name, page.begin, page.end)
        here = request.url.with_query(None)
        base = here.parent if "page" in request.match_info else here
        return web.json_response(page.answer([json.loads(one) for one in told], str(base)))

    def in_trouble(self, status: int) -> web.Response:
        """One message; 401 is plain text."""
        if status == 401:
            return web.Response(status=401, text="Forbidden")
        return _said(status, _TROUBLES.get(status, "Internal Server Error"))

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self._knows(request.headers.get("Authorization", "")):
            return self.in_trouble(401)
        domain, known = request.match_info["domain"], self._settings.domains
        if known is None or domain in known:
            return None
        return _said(404, f"Domain not found: {domain}")

    def _knows(self, authorization: str) -> bool:
        try:
            given = BasicAuth.decode(authorization)
        except ValueError:
            return False
        known = hmac.compare_digest(given.password.encode(), self._settings.api_key.encode())
        return known and given.login == "api"

    async def _take(self, request: web.Request, body: bytes, is_mime: bool) -> web.Response:
        try:
            message = Message(fields_of(request.headers.get("Content-Type", ""), body))
        except FormError as error:
            raise NotTakenError(_said(400, str(error))) from error
        if flaw := next(flaws(message, self.house.seed, is_mime), None):
            raise NotTakenError(_said(400, flaw))
        taking = Taking(self.name, request.match_info["domain"], message, self.house)
        answer = web.json_response(
            {"id": f"<{taking.message_id}>", "message": "Queued. Thank you."}
        )
        if message.is_on("o:testmode", usual=False):
            raise NotTakenError(answer)
        await self.house.office.take(taking.mime_copies() if is_mime else taking.copies())
        return answer


def _said(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
