"""The roles: what each process of an installation does, and where it listens.

Each imports its own station and nothing else, when it starts.
"""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of long-running process; any number may run, on any number of machines."""

    name: str
    serve: Callable[[threading.Event], None]
    """Works until the event is set, then returns soon."""
    minds_signals: bool = False
    """Whether it ends on SIGTERM and SIGINT by itself, and ignores the event."""
    niceness: int = 0
    """How far it steps back for the other roles where cores are scarce (nice(2))."""


def _web(_stop: threading.Event) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.server import Server

    # It ends when a worker dies: the supervisor then starts the whole group anew.
    Server(
        "postroom.management.web:application",
        address=settings.POSTROOM_BIND,
        port=settings.POSTROOM_HTTP_PORT,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.POSTROOM_WEB_WORKERS,
        blocking_threads=settings.POSTROOM_WEB_THREADS,
        workers_kill_timeout=10,
        log_enabled=False,
    ).serve()


def _smtp(stop: threading.Event) -> None:
    from postroom.management.returns import ReturnedMail
    from postroom.submission import smtp_role

    smtp_role.serve(stop, ReturnedMail)


def _sender(stop: threading.Event) -> None:
    from postroom.sending import sender

    sender.serve(stop)


def _interpreter(stop: threading.Event) -> None:
    from postroom.feedback import interpreter

    interpreter.serve(stop)


def _puller(stop: threading.Event) -> None:
    from postroom.feedback import puller

    puller.serve(stop)


def _clock(stop: threading.Event) -> None:
    from postroom.management import clock

    clock.serve(stop)


def _simulator(stop: threading.Event) -> None:
    from postroom.simulator import server
    from postroom.simulator.config import Config

    server.serve(Config.load(settings.POSTROOM_DATA / "simulator.json"), stop)


ROLES = {
    role.name: role
    for role in (
        Role("simulator", _simulator),
        # What was heard is on disk, and a broadcast is not to leave later for reading about itself.
        Role("interpreter", _interpreter, niceness=10),
        Role("puller", _puller),
        Role("clock", _clock),
        Role("sender", _sender),
        Role("web", _web, minds_signals=True),
        Role("smtp", _smtp),
    )
}
"""In the order in which they start; they stop in the opposite one: the doors close first."""


def serve(name: str) -> None:
    """Plays one role until SIGTERM or SIGINT."""
    stop = threading.Event()
    role = ROLES[name]
    os.nice(role.niceness)
    if not role.minds_signals:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    role.serve(stop)
