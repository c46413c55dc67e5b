"""The process: all faces, the post office and the outbox, on one event loop."""

import asyncio
import contextlib
import gc
import logging
import threading
from typing import Any

from aiohttp import web

from postroom.simulator.config import Config, ConfigError
from postroom.simulator.control import Control
from postroom.simulator.face import SettingsError
from postroom.simulator.faces import open_faces
from postroom.simulator.http_door import House
from postroom.simulator.journal import Journal
from postroom.simulator.mischief import Troublemaker
from postroom.simulator.outbox import Outbox
from postroom.simulator.post_office import PostOffice
from postroom.simulator.site import site_of
from postroom.simulator.smtp_door import Listener
from postroom.simulator.truth import load, set_aside_older

_log = logging.getLogger(__name__)

SHUTDOWN_S = 0.2
"""How long calls under way may still take when the simulator stops; hanging ones never end."""


class Simulator:
    """Running providers; `start` opens their ports and goes on where the truth log ends."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError for a face that cannot be."""
        self.config = config
        self.http_port = config.http_port
        self.smtp_port = config.smtp_port
        try:
            self._faces = open_faces(config.face_entries())
        except SettingsError as error:
            raise ConfigError(str(error)) from error

    async def start(self) -> None:
        """Raises OSError when a port is taken, TruthUnreadable, or ConfigError."""
        config, tellers = self.config, {face.name: face.teller for face in self._faces}
        if older := set_aside_older(config.truth_log):
            _log.warning("the truth log is of an older release; it is %s now", older)
        truth = load(config.truth_log)
        if missing := {taken.copy.face for taken in truth.copies.values()} - tellers.keys():
            raise ConfigError(
                f"{config.truth_log} tells of mail at {', '.join(sorted(missing))}, and `faces` has"
                " no such entry; add it, or remove the log to begin anew"
            )
        self._journal = Journal(config.truth_log)
        trouble = Troublemaker(config.mischief)
        self._outbox = Outbox(self._journal, trouble, config.time_scale)
        office = PostOffice(self._journal, self._outbox, trouble, tellers, config.time_scale)
        office.resume(truth)
        self._happening = asyncio.create_task(office.run())
        house = House(office, trouble, config.seed, config.silent_share)
        await self._open_http(house, Control(config.api_key, trouble, office, self._outbox))
        self._smtp = Listener([face.smtp for face in self._faces if face.smtp], house)
        self.smtp_port = await self._smtp.open(config.bind, config.smtp_port)

    async def _open_http(self, house: House, control: Control) -> None:
        app = site_of([face.door(house) for face in self._faces if face.door], control)
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
