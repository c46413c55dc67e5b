"""An SMTP server for tests: keeps what it takes, and answers as a test says."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

DROP = "drop"
"""Instead of an answer: the connection is closed."""
SILENCE = "silence"
"""Instead of an answer: none, and the connection stays open."""

Answer = Callable[[str, str], str | None]
"""From a command (`MAIL`, `RCPT`, `DOT` ...) and its argument to an answer; None: the usual."""

_USUAL = {
    "MAIL": "250 2.1.0 sender ok",
    "RCPT": "250 2.1.5 recipient ok",
    "DATA": "354 go on",
    "DOT": "250 2.0.0 Ok: queued as 4F2A9C",
    "RSET": "250 2.0.0 ok",
    "AUTH": "235 2.7.0 welcome",
    "STARTTLS": "220 2.0.0 ready",
    "QUIT": "221 2.0.0 bye",
}
_VERBS = {"EHLO", *_USUAL}


@dataclass(frozen=True)
class Taken:
    """A mail that the server took."""

    mail_from: str
    recipient: str
    data: bytes
    """As the server understood it: dots removed, up to the end of data."""


@dataclass
class FakeSmtp:
    """What the server is asked to do, and what it saw."""

    port: int = 0
    extensions: Sequence[str] = ("PIPELINING", "8BITMIME", "SIZE 10000000", "SMTPUTF8")
    answer: Answer = lambda _command, _argument: None
    greeting: str = "220 fake.example ESMTP"
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    taken: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    """Connections that neither side has ended."""

    def recipients(self) -> list[str]:
        """The recipients of the mails taken, in order."""
        return [mail.recipient for mail in self.taken]


class _Conversation:
    def __init__(
        self, server: FakeSmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._mail_from = self._recipient = ""

    async def hold(self) -> None:
        self._server.connections += 1
        self._server.open += 1
        try:
            await self._say(self._server.greeting)
            while await self._command():
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._server.open -= 1
            self._writer.close()

    async def _say(self, text: str) -> None:
        self._writer.write(text.encode() + b"\r\n")
        await self._writer.drain()

    async def _command(self) -> bool:
        line = (await self._reader.readuntil(b"\r\n"))[:-2].decode()
        self._server.commands.append(line)
        verb, _, argument = line.partition(" ")
        if verb.upper() in _VERBS:  # not what a client says in an exchange of AUTH
            verb = verb.upper()
        if verb == "EHLO":
            await self._say("\r\n".join(self._greeted()))
            return True
        if not await self._answer(verb, argument):
            return False
        if verb == "STARTTLS":
            assert self._server.tls is not None
            await self._writer.start_tls(self._server.tls)
        return verb != "QUIT"

    def _greeted(self) -> list[str]:
        lines = ["fake.example", *self._server.extensions]
        return [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]

    async def _answer(self, verb: str, argument: str) -> bool:
        answer = self._server.answer(verb, argument) or _USUAL.get(verb, "502 5.5.1 unknown")
        if answer == SILENCE:
            await self._reader.read()
        if answer in (DROP, SILENCE):
            return False
        if verb == "MAIL":
            self._mail_from = argument
        if verb == "RCPT":
            self._recipient = argument.removeprefix("TO:<").removesuffix(">")
        await self._say(answer)
        return await self._content() if answer.startswith("354") else True

    async def _content(self) -> bool:
        data = b""
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            data += line[1:] if line.startswith(b".") else line
        answer = self._server.answer("DOT", self._recipient) or _USUAL["DOT"]
        if answer not in (DROP, SILENCE) and not answer.startswith("250"):
            await self._say(answer)
            return True
        self._server.taken.append(Taken(self._mail_from, self._recipient, data))
        if answer == SILENCE:
            await self._reader.read()
        if answer in (DROP, SILENCE):
            return False
        await self._say(answer)
        return True


@contextmanager
def fake_smtp(server: FakeSmtp | None = None) -> Iterator[FakeSmtp]:
    """A running server, in a thread of its own."""
    server = server or FakeSmtp()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake-smtp")
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(_listen(server), loop).result(10)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _listen(server: FakeSmtp) -> asyncio.Server:
    return await asyncio.start_server(
        lambda reader, writer: _Conversation(server, reader, writer).hold(),
        "127.0.0.1",
        0,
        ssl=server.tls if server.implicit_tls else None,
        limit=2**24,
    )


async def _end(listening: asyncio.Server) -> None:
    listening.close()
    talks = asyncio.all_tasks() - {asyncio.current_task()}
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)
