"""The role `smtp`: the submission and relay listeners, in one process or one per core."""

import asyncio
import logging
import multiprocessing
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from django.conf import settings

from postroom.submission.smtp import Session
from postroom.submission.smtp_listener import Listener
from postroom.submission.smtp_returns import Returns
from postroom.submission.smtp_tls import server_context

log = logging.getLogger(__name__)

BACKLOG = 1024
"""Connections that wait to be taken: a burst of clients is not refused by the kernel."""
STOP_POLL_S = 0.2
FAREWELL_S = 5
"""How long mails that are being stored may take when the role ends."""


MakeReturns = Callable[[], Returns]
"""Makes the keeper of mail that comes back, in each process anew."""


def serve(stop: threading.Event, make_returns: MakeReturns | None = None) -> None:
    """Listen until `stop` is set. Raises RuntimeError when one of several processes ends early."""
    helpers = [_helper(make_returns) for _ in range(settings.POSTROOM_SMTP_PROCESSES - 1)]
    for helper in helpers:
        helper.start()
    try:
        asyncio.run(_listen(stop, helpers, make_returns))
    finally:
        for helper in helpers:
            helper.terminate()
        for helper in helpers:
            helper.join(FAREWELL_S)


def _helper(make_returns: MakeReturns | None) -> BaseProcess:
    spawning = multiprocessing.get_context("spawn")
    return spawning.Process(target=_serve_alone, args=(make_returns,), daemon=True)


def _serve_alone(make_returns: MakeReturns | None) -> None:
    """A further process on the same ports; ended by its parent, or with its process group."""
    import signal

    import django

    django.setup()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_listen(stop, [], make_returns))


async def _listen(
    stop: threading.Event, helpers: list[BaseProcess], make_returns: MakeReturns | None
) -> None:
    # aiosmtpd logs every connection with its address; ours is not to.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    returns = make_returns() if make_returns else None
    servers = [await _server(*door) for door in _doors(returns)]
    log.info("listening for SMTP on %s", ", ".join(_addresses(servers)))
    try:
        while not stop.is_set():
            if any(not helper.is_alive() for helper in helpers):
                sys.exit("postroom: an SMTP process ended; all are to be started again")
            await asyncio.sleep(STOP_POLL_S)
    finally:
        for server in servers:
            server.close()
        await _finish_sessions()


def _doors(returns: Returns | None) -> list[tuple[int, Listener, ssl.SSLContext | None]]:
    """Port, listener, and the TLS context where TLS comes first, for every port in use."""
    hostname = socket.getfqdn()
    tls = server_context(hostname)
    relay, implicit = settings.POSTROOM_SMTP_RELAY_PORT, settings.POSTROOM_SMTPS_PORT
    doors: list[tuple[int, Listener, ssl.SSLContext | None]] = [
        (
            settings.POSTROOM_SMTP_PORT,
            Listener(hostname, relays=False, tls=tls, returns=returns),
            None,
        )
    ]
    if implicit is not None:
        doors.append((implicit, Listener(hostname, relays=False, returns=returns), tls))
    if relay is not None:
        doors.append((relay, Listener(hostname, relays=True, tls=tls, returns=returns), None))
    return doors


async def _server(
    port: int, listener: Listener, tls: ssl.SSLContext | None
) -> asyncio.base_events.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        session_factory(listener, loop),
        settings.POSTROOM_BIND,
        port,
        ssl=tls,
        backlog=BACKLOG,
        reuse_port=settings.POSTROOM_SMTP_PROCESSES > 1,
    )


def session_factory(listener: Listener, loop: asyncio.AbstractEventLoop) -> Callable[[], Session]:
    """Makes the protocol of each new connection."""
    return lambda: Session(listener, loop)


def _addresses(servers: list[asyncio.base_events.Server]) -> list[str]:
    names = [opened.getsockname() for server in servers for opened in server.sockets]
    return [f"{name[0]}:{name[1]}" for name in names]


async def _finish_sessions() -> None:
    """Mails whose DATA has ended may still be answered; then every session is let go."""
    sessions = asyncio.all_tasks() - {asyncio.current_task()}
    for session in sessions:
        session.cancel()
    if sessions:
        await asyncio.wait(sessions, timeout=FAREWELL_S)
