"""The API: one mail a call, or a batch of up to 100.

resend.com/docs/api-reference: introduction, emails (send, send batch, retrieve), errors, rate
limit; resend.com/changelog/batch-validation-modes; read 2026-11-24. A mail that is to be sent
later is sent then, and no `email.scheduled` tells of it before.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from postroom.simulator.bearer import knows_key
from postroom.simulator.copies import Copy
from postroom.simulator.faces.resend import errors
from postroom.simulator.faces.resend.checks import batch_flaws, flaws, listed
from postroom.simulator.faces.resend.errors import Flaw, refused
from postroom.simulator.faces.resend.events import stamp
from postroom.simulator.faces.resend.memory import Keys, Mails
from postroom.simulator.faces.resend.settings import Settings
from postroom.simulator.faces.resend.taking import copies_of
from postroom.simulator.http_door import House, HttpDoor, NotTakenError
from postroom.simulator.steps import What

BATCH_MAX = 100

LAST_EVENTS: dict[What, str] = {
    What.ACCEPTED: "sent",
    What.DEFERRED: "delivery_delayed",
    What.DELIVERED: "delivered",
    What.BOUNCED: "bounced",
    What.DROPPED: "suppressed",
    What.COMPLAINED: "complained",
    What.OPENED: "opened",
    What.CLICKED: "clicked",
}
"""`last_event` by what happened; what is not here leaves it as it was."""

Work = Callable[[bytes, bool], Awaitable[dict[str, Any]]]
"""From the body, and whether a batch is checked permissively, to what the answer says."""


class Api(HttpDoor):
    """The vendor's paths."""

    body_bytes_max = 40 * 1024 * 1024

    def __init__(self, name: str, settings: Settings, house: House) -> None:
        super().__init__(name, house)
        self._settings = settings
        self._keys, self._mails = Keys(), Mails()

    def routes(self) -> list[web.RouteDef]:
        """Sending, and asking for what was sent."""
        return [
            web.post("/emails", partial(self._send, self._one)),
            web.post("/emails/batch", partial(self._send, self._batch)),
            web.get("/emails/{id}", self.retrieve),
        ]

    async def _send(self, work: Work, request: web.Request) -> web.StreamResponse:
        """200 once the truth log has the mails on disk."""
        stopped = self._stopped(request)
        answer = stopped or await self.call(request, partial(self._once, work, request))
        answer.headers.update(self._limits())
        return answer

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """A mail and the last thing that is known of it."""
        if stopped := self._stopped(request):
            return stopped
        found = self._mails.find(request.match_info["id"])
        answer = self._told(*found) if found else refused(errors.NO_EMAIL)
        answer.headers.update(self._limits())
        return answer

    def in_trouble(self, status: int) -> web.Response:
        """The vendor's error object; how long to wait in headers."""
        answer = refused(errors.trouble(status))
        if status == 429:
            answer.headers["retry-after"] = "1"
        return answer

    def _limits(self) -> dict[str, str]:
        limit = self.house.trouble.mischief.throttle_per_s
        return {
            "ratelimit-limit": str(9999 if limit is None else limit),
            "ratelimit-remaining": str(self.house.trouble.calls_left()),
            "ratelimit-reset": "1",
        }

    def _stopped(self, request: web.Request) -> web.Response | None:
        if not request.headers.get("User-Agent"):
            return errors.without_user_agent()
        given = request.headers.get("Authorization")
        if not given:
            return refused(errors.MISSING_KEY)
        return None if knows_key(given, self._settings.api_key) else refused(errors.INVALID_KEY)

    async def _once(self, work: Work, request: web.Request, body: bytes) -> web.Response:
        """What `work` answers, or what it answered to the same call under the same key."""
        key = request.headers.get("Idempotency-Key")
        permissive = request.headers.get("x-batch-validation") == "permissive"
        if key is None:
            return web.json_response(await work(body, permissive))
        call = request.path.encode() + b"\0" + body
        if flaw := self._keys.flaw(key, call):
            raise NotTakenError(refused(flaw))
        told = self._keys.answer(key)
        if told is None:
            self._keys.begin(key, call)
            try:
                told = await work(body, permissive)
            finally:
                self._keys.end(key, told)
        return web.json_response(told)

    async def _one(self, body: bytes, permissive: bool) -> dict[str, Any]:
        del permissive
        mail = _json(body)
        flaw = next(flaws(mail, self._settings.verified_domains, self.house.seed), None)
        if flaw is not None:
            raise NotTakenError(refused(flaw))
        (id,) = await self._take([mail])
        return {"id": id}

    async def _batch(self, body: bytes, permissive: bool) -> dict[str, Any]:
        """Strict: all or none. Permissive: the good ones, and what is wrong with the others."""
        mails = _json(body)
        if not isinstance(mails, list) or not 0 < len(mails) <= BATCH_MAX:
            text = f"The request body must be an array of 1 to {BATCH_MAX} emails."
            raise NotTakenError(refused(errors.invalid(text)))
        found = {index: flaw for index, mail in enumerate(mails) if (flaw := self._flaw(mail))}
        if found and not permissive:
            raise NotTakenError(refused(next(iter(found.values()))))
        good = [mail for index, mail in enumerate(mails) if index not in found]
        data = [{"id": id} for id in await self._take(good)]
        if not permissive:
            return {"data": data}
        wrong = [{"index": index, "message": flaw.message} for index, flaw in found.items()]
        return {"data": data, "errors": wrong}

    def _flaw(self, mail: object) -> Flaw | None:
        return next(batch_flaws(mail, self._settings.verified_domains, self.house.seed), None)

    async def _take(self, mails: list[Any]) -> list[str]:
        """The ids of the mails, once they are on disk."""
        made = [(mail, copies_of(mail, self.name, self._settings, self.house)) for mail in mails]
        if made:
            await self.house.office.take([copy for _, copies in made for copy in copies])
        for mail, copies in made:
            self._mails.keep(mail, copies[0])
        return [copies[0].message_id for _, copies in made]

    def _told(self, mail: Mapping[str, Any], copy: Copy) -> web.Response:
        lists = {name: listed(mail.get(name)) for name in ("to", "cc", "bcc", "reply_to")}
        happened = [LAST_EVENTS.get(step.what) for step in self.house.office.happened(copy)]
        last = next((each for each in reversed(happened) if each), "queued")
        return web.json_response(
            {
                "object": "email",
                "id": copy.message_id,
                "from": mail["from"],
                **lists,
                "created_at": stamp(copy.taken_at),
                "subject": mail["subject"],
                "html": mail.get("html"),
                "text": mail.get("text"),
                "last_event": last,
                "scheduled_at": mail.get("scheduled_at"),
                "tags": listed(mail.get("tags")),
            }
        )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotTakenError(refused(errors.NO_JSON)) from error
