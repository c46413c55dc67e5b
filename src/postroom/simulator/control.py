"""The simulator's own calls: mischief at run time, counts, health. No provider has these.

Only for loopback callers who know the account's key.
"""

import ipaddress
from dataclasses import asdict

from aiohttp import web

from postroom.simulator.bearer import knows_key
from postroom.simulator.mischief import Mischief, MischiefError, Troublemaker
from postroom.simulator.outbox import Outbox
from postroom.simulator.post_office import PostOffice


class Control:
    """Routes under `/_simulator/`."""

    def __init__(
        self, api_key: str, trouble: Troublemaker, office: PostOffice, outbox: Outbox
    ) -> None:
        self._api_key = api_key
        self._trouble, self._office, self._outbox = trouble, office, outbox

    def routes(self) -> list[web.RouteDef]:
        """What the server has to serve."""
        return [
            web.get("/_simulator/health", self.health),
            web.get("/_simulator/truth", self.truth),
            web.get("/_simulator/mischief", self.mischief),
            web.post("/_simulator/mischief", self.set_mischief),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """Open to all: says only that it runs."""
        del request
        return web.json_response({"status": "ok"})

    async def truth(self, request: web.Request) -> web.Response:
        """How many mails were taken, what happened to them, and what is still to come."""
        self._check(request)
        return web.json_response(
            {
                "counts": dict(self._office.counts),
                "pending": self._office.pending,
                "batches": {
                    "waiting": self._outbox.waiting,
                    "heard": self._outbox.heard,
                    "lost": self._outbox.lost,
                    "failed_posts": self._outbox.failed_posts,
                },
            }
        )

    async def mischief(self, request: web.Request) -> web.Response:
        """The mischief in force."""
        self._check(request)
        return web.json_response(asdict(self._trouble.mischief))

    async def set_mischief(self, request: web.Request) -> web.Response:
        """Replace all mischief: what the body does not name is off."""
        self._check(request)
        try:
            settings = await request.json()
            if not isinstance(settings, dict):
                raise MischiefError("mischief is a JSON object")
            self._trouble.set(Mischief.read(settings))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(asdict(self._trouble.mischief))

    def _check(self, request: web.Request) -> None:
        if not knows_key(request.headers.get("Authorization"), self._api_key):
            raise web.HTTPUnauthorized(text="the simulator's api key, please")
        if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104  # no peer
            raise web.HTTPForbidden(text="only from this machine")
