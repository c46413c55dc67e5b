"""The server API as far as sending needs it.

postmarkapp.com/developer/api/email-api, /developer/api/server-api and /developer/api/overview,
read 2026-11-24. A batch is answered with 200 and one result a mail, in its order.
"""

import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from postroom.simulator.addresses import suppressed_among
from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.postmark.checks import (
    MAIL_BYTES_MAX,
    Flaw,
    addresses_in,
    first_flaw,
    recipients_of,
)
from postroom.simulator.faces.postmark.settings import Settings
from postroom.simulator.http_door import House, HttpDoor, NotTakenError
from postroom.simulator.links import first_link
from postroom.simulator.truth import digest_of_content, digest_of_rest

BATCH_MAX = 500
TEST_TOKEN = "POSTMARK_API_TEST"  # noqa: S105  # the vendor's own; checks a mail and takes nothing

_TROUBLES: dict[int, Flaw] = {
    400: Flaw(402, "Invalid JSON."),
    401: Flaw(
        10,
        "The Server Token you provided in the X-Postmark-Server-Token request header was invalid."
        " Please verify that you are using a valid token.",
    ),
    403: Flaw(412, "While your account is pending approval, you may not send."),
    404: Flaw(404, "The requested resource does not exist."),
    405: Flaw(405, "The requested resource does not support this method."),
    413: Flaw(413, "The request is larger than the limit."),
    429: Flaw(429, "Rate limit exceeded."),
}
_NO_TOKEN = Flaw(
    10,
    "No Account or Server API tokens were supplied in the HTTP headers. Please add a header for"
    " either X-Postmark-Server-Token or X-Postmark-Account-Token.",
)
_NOT_JSON = Flaw(
    409, "The HTTP request does not have the Content-Type header set to application/json."
)


class Api(HttpDoor):
    """The vendor's paths."""

    body_bytes_max = 50 * 1024 * 1024
    """Of a batch; a mail may have 10 MB."""

    def __init__(self, name: str, settings: Settings, house: House) -> None:
        super().__init__(name, house)
        self._settings = settings
        self._domains = settings.verified_domains

    def routes(self) -> list[web.RouteDef]:
        """Sending, and what tells whether the token is good."""
        return [
            web.post("/email", self.email),
            web.post("/email/batch", self.batch),
            web.get("/server", self.server),
        ]

    async def email(self, request: web.Request) -> web.StreamResponse:
        """200 once the truth log has it on disk."""
        return self._refusal(request) or await self.call(
            request, lambda body: self._take_one(body, _is_test(request))
        )

    async def batch(self, request: web.Request) -> web.StreamResponse:
        """200 with a result for each mail, unless the batch as a whole cannot be read."""
        return self._refusal(request) or await self.call(
            request, lambda body: self._take_batch(body, _is_test(request))
        )

    async def server(self, request: web.Request) -> web.StreamResponse:
        """What the token stands for: the cheapest way to check it."""
        told = {"ID": self._settings.server_id, "Name": self.name, "DeliveryType": "Live"}
        return self._unauthorized(request) or web.json_response(told)

    def in_trouble(self, status: int) -> web.Response:
        """The error codes are the vendor's own, not HTTP's; a refused mail is 422."""
        flaw = _TROUBLES.get(status, Flaw(status, "Internal server error."))
        return _answered(422 if status == 400 else status, flaw)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if unauthorized := self._unauthorized(request):
            return unauthorized
        return None if request.content_type == "application/json" else _answered(422, _NOT_JSON)

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("X-Postmark-Server-Token")
        if given is None:
            return _answered(401, _NO_TOKEN)
        known = self._settings.server_token.encode()
        if given == TEST_TOKEN or hmac.compare_digest(given.encode(errors="replace"), known):
            return None
        return self.in_trouble(401)

    async def _take_one(self, body: bytes, test: bool) -> web.Response:
        if len(body) > MAIL_BYTES_MAX:
            raise NotTakenError(self.in_trouble(413))
        result, copies = self._result(self._json(body), test)
        if not copies:
            status = 422 if result["ErrorCode"] else 200
            raise NotTakenError(web.json_response(result, status=status))
        await self.house.office.take(copies)
        return web.json_response(result)

    async def _take_batch(self, body: bytes, test: bool) -> web.Response:
        mails = self._json(body)
        if not isinstance(mails, list):
            raise NotTakenError(
                _answered(422, Flaw(403, "Received incompatible JSON: a batch is an array."))
            )
        if len(mails) > BATCH_MAX:
            flaw = Flaw(410, f"A batch has at most {BATCH_MAX} messages; this has {len(mails)}.")
            raise NotTakenError(_answered(422, flaw))
        results = [self._result(mail, test) for mail in mails]
        answer = web.json_response([result for result, _ in results])
        copies = [copy for _, some in results for copy in some]
        if not copies:
            raise NotTakenError(answer)
        await self.house.office.take(copies)
        return answer

    def _json(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NotTakenError(self.in_trouble(400)) from error

    def _result(self, mail: Any, test: bool) -> tuple[dict[str, Any], list[Copy]]:
        """The vendor's answer for one mail, and what is taken of it."""
        flaw = first_flaw(mail, self._domains, self._settings.streams, self.house.seed)
        if flaw is not None:
            return {"ErrorCode": flaw.code, "Message": flaw.message}, []
        message_id, now = str(uuid4()), time.time()
        result = {
            "To": mail["To"],
            "SubmittedAt": datetime.fromtimestamp(now, UTC).isoformat(),
            "MessageID": message_id,
            "ErrorCode": 0,
            "Message": "OK",
        }
        if test:
            return {**result, "Message": "Test job accepted"}, []
        inactive = suppressed_among(recipients_of(mail), self.house.seed)
        if inactive:
            named = ", ".join(inactive)
            result["Message"] = (
                f"Message OK, but will not deliver to these inactive addresses: {named}"
            )
        return result, self._copies(mail, message_id, now, set(inactive))

    def _copies(
        self, mail: dict[str, Any], message_id: str, now: float, inactive: set[str]
    ) -> list[Copy]:
        metadata = mail.get("Metadata") or {}
        contents = _contents(mail)
        shared: dict[str, Any] = {
            "face": self.name,
            "message_id": message_id,
            "door": "http",
            "sender": addresses_in(mail, "From")[0],
            "to": tuple(addresses_in(mail, "To")),
            "cc": tuple(addresses_in(mail, "Cc")),
            "digest": digest_of_content(
                mail.get("Subject") or "",
                contents,
                digest_of_rest(mail.get("Attachments") or []),
            ),
            "header_message_id": f"<{message_id}@mtasv.net>",
            "taken_at": now,
            "starts_at": now,
            "seed": self.house.seed,
            "handover": metadata.get(HANDOVER_KEY),
            "metadata": metadata,
            "tags": (mail["Tag"],) if mail.get("Tag") else (),
            "more": {
                "stream": mail.get("MessageStream") or "outbound",
                "subject": mail.get("Subject") or "",
            },
            "url": first_link([text for _, text in contents]),
            "track_opens": bool(mail.get("TrackOpens")),
            "track_clicks": (mail.get("TrackLinks") or "None") != "None",
            "silent_share": self.house.silent_share,
        }
        return [
            Copy(number=number, recipient=recipient, **shared)
            for number, recipient in enumerate(recipients_of(mail))
            if recipient not in inactive
        ]


def _contents(mail: dict[str, Any]) -> list[tuple[str, str]]:
    kinds = (("text/plain", "TextBody"), ("text/html", "HtmlBody"))
    return [(kind, mail[name]) for kind, name in kinds if mail.get(name)]


def _is_test(request: web.Request) -> bool:
    return request.headers.get("X-Postmark-Server-Token") == TEST_TOKEN


def _answered(status: int, flaw: Flaw) -> web.Response:
    return web.json_response({"ErrorCode": flaw.code, "Message": flaw.message}, status=status)
