"""SMTP clients without manners: they drop the line at every moment, crawl, or never say a word.

Each mail that was dropped is submitted again, properly, until it is acknowledged: it must be in
the ledger once, whether or not the first try had come so far.
"""

import base64
import random
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import cycle

from tests.faults.mails import Mail, more_mails
from tests.faults.scene import Scene

_IDLE_SESSIONS = 300
_SLOW_BYTES = 3
_S_MAX = 20.0


def dropped_sessions(scene: Scene) -> None:
    """Clients that are gone in DATA, after the dot, or without QUIT, or that crawl."""
    times = len(_MANNERS) * scene.scale.times
    supply = more_mails("smtp", "rude", scene.seed, times)
    manners = cycle(_MANNERS.items())
    moments = scene.moments("manners", times)
    for dice, mail, (name, rude) in zip(moments, supply, manners, strict=False):
        with scene.fault(f"SMTP client: {name}"), suppress(OSError):
            _talk(scene, mail, rude, dice)
        scene.clients.submit_one(mail)


def idle_sessions(scene: Scene) -> None:
    """Hundreds who connect and say nothing, while others go on."""
    for dice in scene.moments("idle sessions"):
        with scene.fault("SMTP client: hundreds idle"), ExitStack() as held:
            for _ in range(_IDLE_SESSIONS):
                with suppress(OSError):
                    held.enter_context(_connected(scene))
            scene.pause(dice.uniform(2, 4))


class _Session:
    """Just enough of SMTP to break off anywhere."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._replies = connection.makefile("rb")
        self.reply()

    def reply(self) -> bytes:
        """The last line of a reply; raises OSError when the door has closed."""
        while (line := self._replies.readline())[3:4] == b"-":
            pass
        if not line:
            raise ConnectionError("the door has closed")
        return line

    def say(self, line: str) -> bytes:
        """The reply to a command."""
        self.connection.sendall(f"{line}\r\n".encode())
        return self.reply()


Rude = Callable[[_Session, bytes, random.Random], None]


def _connected(scene: Scene) -> socket.socket:
    return socket.create_connection(("127.0.0.1", scene.installation.smtp_port), timeout=_S_MAX)


def _talk(scene: Scene, mail: Mail, rude: Rude, dice: random.Random) -> None:
    id, secret = scene.clients.login
    login = base64.b64encode(f"\0{id}\0{secret}".encode()).decode()
    with _connected(scene) as connection:
        session = _Session(connection)
        session.say("EHLO client.example")
        session.say(f"AUTH PLAIN {login}")
        session.say("MAIL FROM:<notices@company.example>")
        for recipient in mail.recipients:
            session.say(f"RCPT TO:<{recipient}>")
        session.say("DATA")
        rude(session, _stuffed(mail.raw), dice)


def _stuffed(data: bytes) -> bytes:
    return b"".join(b"." + line if line[:1] == b"." else line for line in data.splitlines(True))


def _drop_in_data(session: _Session, data: bytes, dice: random.Random) -> None:
    session.connection.sendall(data[: dice.randrange(len(data))])


def _drop_after_the_dot(session: _Session, data: bytes, dice: random.Random) -> None:
    del dice
    session.connection.sendall(data + b".\r\n")


def _leave_without_quit(session: _Session, data: bytes, dice: random.Random) -> None:
    _drop_after_the_dot(session, data, dice)
    session.reply()


def _crawl(session: _Session, data: bytes, dice: random.Random) -> None:
    """A byte a second, and gone before long."""
    session.connection.settimeout(1.0)
    for number in range(dice.randint(1, _SLOW_BYTES)):
        session.connection.sendall(data[number : number + 1])
        with suppress(TimeoutError):
            session.reply()


_MANNERS: dict[str, Rude] = {
    "drops in DATA": _drop_in_data,
    "drops after the dot": _drop_after_the_dot,
    "leaves without QUIT": _leave_without_quit,
    "1 byte/s": _crawl,
}
