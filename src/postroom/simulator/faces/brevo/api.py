"""The transactional API: one mail, or up to 1,000 versions of one, taken or refused as a whole.

developers.brevo.com: reference, Send a transactional email; docs, Batch email idempotency, API
limits; read 2026-11-24.
"""

import hmac
import json
import secrets
import time
from typing import Any

from aiohttp import web

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.brevo.checks import Flaw, filled, flaws
from postroom.simulator.faces.brevo.settings import Settings
from postroom.simulator.http_door import House, HttpDoor, NotTakenError
from postroom.simulator.links import first_link
from postroom.simulator.truth import digest_of_content, digest_of_rest

CUSTOM = "x-mailin-custom"
IDEMPOTENCY_S = 1_800.0

_TROUBLES = {
    400: Flaw("Bad request", "bad_request"),
    401: Flaw("Key not found", "unauthorized"),
    403: Flaw("Your account is under validation", "account_under_validation"),
    404: Flaw("Not found", "document_not_found"),
    405: Flaw("Method not allowed", "method_not_allowed"),
    413: Flaw("The request is larger than the limit", "invalid_parameter"),
    429: Flaw("Rate limit exceeded", "too_many_requests"),
}


def new_message_id() -> str:
    """As the vendor makes it, angle brackets included."""
    stamp = time.strftime("%Y%m%d%H%M", time.gmtime())
    return f"<{stamp}.{10**10 + secrets.randbelow(9 * 10**10)}@smtp-relay.mailin.fr>"


def handover_of(custom: str) -> str | None:
    """The sender's own id: behind its label, in a header of `label:value` pairs and bars."""
    pairs = [pair.partition(":") for pair in custom.split("|")]
    return next((value.strip() for label, _, value in pairs if label == HANDOVER_KEY), None)


class Api(HttpDoor):
    """The vendor's paths."""

    body_bytes_max = 20 * 1024 * 1024

    def __init__(self, name: str, settings: Settings, house: House) -> None:
        super().__init__(name, house)
        self._settings = settings
        self._seen: dict[str, float] = {}
        """Idempotency keys, and until when each counts."""

    def routes(self) -> list[web.RouteDef]:
        """Sending, and what tells whether the key is good."""
        return [
            web.post("/v3/smtp/email", self.send),
            web.get("/v3/account", self.account),
        ]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """201 once the truth log has the mails on disk."""
        return self._unauthorized(request) or await self.call(request, self._take)

    async def account(self, request: web.Request) -> web.StreamResponse:
        """What the key stands for."""
        told = {"email": self._settings.smtp_user, "plan": [], "companyName": self.name}
        return self._unauthorized(request) or web.json_response(told)

    def in_trouble(self, status: int) -> web.Response:
        """A code and a message; the rate limit in headers."""
        flaw = _TROUBLES.get(status, Flaw("Internal server error", "internal_error"))
        answer = _refused(flaw, status)
        if status == 429:
            answer.headers["x-sib-ratelimit-reset"] = "1"
        return answer

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("api-key", "").encode(errors="replace")
        known = hmac.compare_digest(given, self._settings.api_key.encode())
        return None if known else self.in_trouble(401)

    async def _take(self, body: bytes) -> web.Response:
        call = self._read(body)
        headers = {name.lower(): value for name, value in (call.get("headers") or {}).items()}
        self._check_key(headers.get("idempotencykey"))
        versions = call.get("messageVersions")
        ids = [new_message_id() for _ in versions or [None]]
        told = {"messageIds": ids} if versions else {"messageId": ids[0]}
        answer = web.json_response(told, status=201)
        if headers.get("x-sib-sandbox") == "drop":
            raise NotTakenError(answer)
        copies = [
            copy
            for version, id in zip(versions or [{}], ids, strict=True)
            for copy in self._copies({**call, **version}, headers, version, id)
        ]
        await self.house.office.take(copies)
        return answer

    def _read(self, body: bytes) -> dict[str, Any]:
        try:
            call = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NotTakenError(self.in_trouble(400)) from error
        flaw = next(flaws(call, self._settings.verified_domains, self.house.seed), None)
        if flaw is not None:
            raise NotTakenError(_refused(flaw, 400))
        return dict(call)

    def _check_key(self, key: str | None) -> None:
        """Remember the key for half an hour; raises NotTakenError when it is known already."""
        now = time.time()
        self._seen = {known: until for known, until in self._seen.items() if until > now}
        if key is None:
            return
        if key in self._seen:
            flaw = Flaw("Duplicate idempotencyKey", "duplicate_parameter")
            raise NotTakenError(_refused(flaw, 400))
        self._seen[key] = now + IDEMPOTENCY_S

    def _copies(
        self,
        mail: dict[str, Any],
        headers: dict[str, str],
        version: dict[str, Any],
        message_id: str,
    ) -> list[Copy]:
        own = {name.lower(): value for name, value in (version.get("headers") or {}).items()}
        custom = own.get(CUSTOM, headers.get(CUSTOM, ""))
        params = mail.get("params") or {}
        kinds = (("text/plain", "textContent"), ("text/html", "htmlContent"))
        contents = [(kind, filled(mail[name], params)) for kind, name in kinds if mail.get(name)]
        subject, now = filled(mail["subject"], params), time.time()
        people = {
            name: [each["email"] for each in mail.get(name) or []] for name in ("to", "cc", "bcc")
        }
        shared: dict[str, Any] = {
            "face": self.name,
            "message_id": message_id,
            "door": "http",
            "sender": mail["sender"]["email"],
            "to": tuple(people["to"]),
            "cc": tuple(people["cc"]),
            "digest": digest_of_content(
                subject, contents, digest_of_rest(mail.get("attachment") or [])
            ),
            "header_message_id": message_id,
            "taken_at": now,
            "starts_at": now,
            "seed": self.house.seed,
            "handover": handover_of(custom),
            "tags": tuple(mail.get("tags") or ()),
            "more": {"custom": custom, "subject": subject},
            "url": first_link([text for _, text in contents]),
            "track_opens": self._settings.tracking,
            "track_clicks": self._settings.tracking,
            "silent_share": self.house.silent_share,
        }
        everybody = [each for name in ("to", "cc", "bcc") for each in people[name]]
        return [
            Copy(number=number, recipient=recipient, **shared)
            for number, recipient in enumerate(everybody)
        ]


def _refused(flaw: Flaw, status: int) -> web.Response:
    return web.json_response({"code": flaw.code, "message": flaw.message}, status=status)
