"""A client that says exactly what it is told to, byte by byte, over a real socket."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from postroom.ledger import db
from postroom.submission.smtp_listener import Listener
from postroom.submission.smtp_role import session_factory
from postroom.submission.smtp_tls import server_context

MAIL = (
    b"From: Notices <notices@corp.example>\r\n"
    b"To: ann@sim.example\r\n"
    b"Subject: Prices\r\n"
    b"Message-ID: <1@corp.example>\r\n"
    b"\r\n"
    b"The new prices.\r\n"
)


@dataclass(frozen=True)
class Door:
    """Where a listener is."""

    port: int

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, timeout=10, local_hostname="client.example")

    def talk(self) -> "Talk":
        """A raw session, after the greeting."""
        talk = Talk(socket.create_connection(("127.0.0.1", self.port), timeout=10))
        assert talk.reply().startswith("220 ")
        return talk


class Talk:
    """One raw SMTP session."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = self._connection.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._received.close()
        self._connection.close()

    def say(self, *lines: str) -> str:
        """Sends each line with CRLF and gives the last reply; stops at nothing."""
        reply = ""
        for line in lines:
            self.send(line.encode() + b"\r\n")
            reply = self.reply()
        return reply

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def reply(self) -> str:
        """The next reply, all its lines; empty when the server has closed."""
        lines = []
        while True:
            try:
                line = self._received.readline().decode()
            except ConnectionResetError:
                line = ""
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return self._received.read()
        except ConnectionResetError:
            return b""

    def begin_mail(self, rcpt: str = "ann@sim.example") -> None:
        """Up to the 354."""
        reply = self.say(
            "EHLO client.example", "MAIL FROM:<app@corp.example>", f"RCPT TO:<{rcpt}>", "DATA"
        )
        assert reply.startswith("354 "), reply

    def mail(self, data: bytes = MAIL, rcpt: str = "ann@sim.example") -> str:
        """The reply to a whole mail; `data` needs no transparency."""
        self.begin_mail(rcpt)
        self.send(data + b".\r\n")
        return self.reply()


def rows(query: str, *parameters: object) -> list[tuple[object, ...]]:
    """What the ledger holds."""
    with db.connection() as conn:
        return conn.execute(query, parameters).fetchall()


def message_count() -> int:
    """Mails in the ledger."""
    return int(str(rows("SELECT count(*) FROM message")[0][0]))


@contextmanager
def serving(listener: Listener, *, implicit: bool = False) -> Iterator[Door]:
    """The listener on a free loopback port, served by an event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def listen() -> asyncio.base_events.Server:
        return await loop.create_server(
            session_factory(listener, loop),
            "127.0.0.1",
            0,
            ssl=server_context(listener.hostname) if implicit else None,
        )

    async def close(server: asyncio.base_events.Server) -> None:
        server.close()
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    try:
        yield Door(server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
