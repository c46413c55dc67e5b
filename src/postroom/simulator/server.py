"""The process: both faces, the post office and the outbox, on one event loop."""

import asyncio
import contextlib
import gc
import logging
import threading
from typing import Any

from aiohttp import web

from postroom.simulator.config import Config
from postroom.simulator.control import Control
from postroom.simulator.journal import Journal
from postroom.simulator.mischief import Troublemaker
from postroom.simulator.post_office import PostOffice
from postroom.simulator.sendgrid import BODY_BYTES_MAX, SendGrid, vendor_shape
from postroom.simulator.signing import Signer
from postroom.simulator.smtp_face import Listener
from postroom.simulator.truth import load
from postroom.simulator.webhooks import Outbox

SHUTDOWN_S = 0.2
"""How long calls under way may still take when the simulator stops; hanging ones never end."""


class Simulator:
    """A running provider; `start` opens its ports and goes on where the truth log ends."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.http_port = config.http_port
        self.smtp_port = config.smtp_port

    async def start(self) -> None:
        """Raises OSError when a port is taken, TruthUnreadable, or ValueError for the key."""
        config = self.config
        signer = Signer.from_pem(config.signing_private_key)
        truth = load(config.truth_log)
        self._journal = Journal(config.truth_log)
        self._trouble = Troublemaker(config.mischief)
        self._outbox = Outbox(
            config.webhook_url, signer, self._journal, self._trouble, config.time_scale
        )
        self._office = PostOffice(self._journal, self._outbox, self._trouble, config.time_scale)
        self._office.resume(truth)
        self._happening = asyncio.create_task(self._office.run())
        await self._open_http()
        self._smtp = Listener(config, self._office, self._trouble)
        self.smtp_port = await self._smtp.open()

    async def _open_http(self) -> None:
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[vendor_shape])
        app.add_routes(SendGrid(self.config, self._office, self._trouble).routes())
        control = Control(self.config.api_key, self._trouble, self._office, self._outbox)
        app.add_routes(control.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.config.bind, self.config.http_port)
        await site.start()
        self.http_port = self._runner.addresses[0][1]

    async def failed(self) -> None:
        """Returns only if the timelines stop happening, by raising what stopped them."""
        await asyncio.shield(self._happening)

    async def close(self) -> None:
        """Close the ports, stop telling, keep the truth."""
        self._smtp.close()
        await self._runner.cleanup()
        self._happening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._happening
        await self._outbox.close()
        await self._journal.close()


def serve(config: Config, stop: threading.Event) -> None:
    """Run until `stop` is set. Raises what made it impossible to start or to go on."""
    asyncio.run(_serve(config, stop))


async def _serve(config: Config, stop: threading.Event) -> None:
    # A broadcast leaves a hundred thousand copies in memory, none in a cycle: looking through
    # them as often as usual took a quarter of the simulator's time.
    gc.set_threshold(100_000, 50, 1000)
    # aiosmtpd warns at every login of an attribute that only aiosmtpd itself uses.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    simulator = Simulator(config)
    await simulator.start()
    waits: set[asyncio.Task[Any]] = {
        asyncio.create_task(asyncio.to_thread(stop.wait)),
        asyncio.create_task(simulator.failed()),
    }
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        stop.set()
        await simulator.close()
