"""An SMTP session, from greeting to QUIT, whatever is said in it (RFC 5321, 2034, 2920).

aiosmtpd gives the connection its life: transport, time-outs, STARTTLS. The commands, their order
and every reply are ours, because what aiosmtpd offers by itself has no AUTH on implicit TLS, no
null sender, ends data lines at 998 bytes and names exception classes to strangers.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP
from django.conf import settings

from postroom.ledger.db import LedgerUnavailable
from postroom.submission.smtp_listener import Listener
from postroom.submission.smtp_path import Refused
from postroom.submission.smtp_stream import BareLineEnd, SmtpStream

log = logging.getLogger(__name__)

COMMAND_BYTES_MAX = 12_288
"""RFC 4954, section 4: the longest line that an AUTH exchange may need."""
IDLE_S = 300
"""RFC 5321, section 4.5.3.2.7: a server waits at least five minutes for the next command."""
FAILURES_MAX = 5
"""Unknown commands, or wrong credentials, after which a session ends."""
OWN_TROUBLE = "451 4.3.0 Temporary trouble on our side, try again later"


class Goodbye(Refused):
    """The session ends with this reply."""


class Conversation(SMTP):
    """Takes one command after the other, and ends where it is no use to go on."""

    _COMMANDS: ClassVar[dict[str, str]]
    """Each verb that is known, and the method that obeys it."""

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            listener,
            hostname=listener.hostname,
            enable_SMTPUTF8=True,
            data_size_limit=settings.POSTROOM_SMTP_MESSAGE_BYTES_MAX,
            tls_context=listener.tls,
            timeout=IDLE_S,
            loop=loop,
        )
        # The stream that aiosmtpd would read from also ends lines at a bare LF.
        self._stream = SmtpStream(limit=COMMAND_BYTES_MAX, loop=loop)
        asyncio.StreamReaderProtocol.__init__(
            self,
            self._stream,
            client_connected_cb=self._cb_client_connected,
            loop=loop,
        )
        self._listener = listener
        self._failures = 0

    def __dir__(self) -> list[str]:
        """Nothing: aiosmtpd looks every attribute of a new session over for commands and AUTH
        methods that are not used here, which took a third of a connection's time."""
        return []

    def connection_lost(self, error: Exception | None) -> None:
        """However a client leaves, to us it is gone: asyncio logs an error nobody asks about."""
        del error
        super().connection_lost(None)

    async def _handle_client(self) -> None:
        try:
            with self._listener.admit(self._peer_ip) as admitted:
                if not admitted:
                    raise Goodbye("421 4.7.0 Too many connections from your address, try later")
                await self._converse()
        except Goodbye as goodbye:
            await self.push(goodbye.reply)
        except (ConnectionError, asyncio.IncompleteReadError):
            log.debug("a client went away")
        finally:
            self._writer.close()

    async def _converse(self) -> None:
        await self.push(f"220 {self.hostname} ESMTP Postroom")
        while self.transport is not None:
            try:
                await self._one_command()
            except (Goodbye, ConnectionError, asyncio.IncompleteReadError):
                raise
            except Refused as refused:
                await self.push(refused.reply)
            except LedgerUnavailable:
                await self.push(OWN_TROUBLE)
            except Exception as error:
                raise Goodbye(await self.handle_exception(error)) from error

    async def _one_command(self) -> None:
        verb, argument = _split_command(await self._read_command())
        name = self._COMMANDS.get(verb)
        if name is None:
            self._count_failure()
            raise Refused("500 5.5.2 The command is not known")
        self._reset_timeout()
        command: Callable[[str], Awaitable[None]] = getattr(self, name)
        await command(argument)

    async def _read_command(self) -> bytes:
        try:
            return await self._stream.read_command()
        except asyncio.LimitOverrunError:
            raise Goodbye("500 5.5.2 The command is too long") from None
        except BareLineEnd:
            raise Goodbye("500 5.5.2 A line ends with CRLF and with nothing else") from None

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            raise Goodbye("421 4.7.0 Too many errors")

    async def handle_exception(self, error: Exception) -> str:
        """Our own trouble is always temporary, and never named to a client."""
        log.error("an SMTP session failed", exc_info=error)
        return OWN_TROUBLE

    @property
    def _peer_ip(self) -> str:
        peer: Any = self.session.peer if self.session else None
        return str(peer[0]) if peer else "127.0.0.1"

    def _set_rset_state(self) -> None:
        """Forgets the mail that is under way."""
        super()._set_rset_state()  # type: ignore[no-untyped-call]

    async def smtp_RSET(self, argument: str) -> None:  # noqa: ARG002, N802
        self._set_rset_state()
        await self.push("250 2.0.0 Ok")

    async def smtp_NOOP(self, argument: str) -> None:  # noqa: ARG002, N802
        await self.push("250 2.0.0 Ok")

    async def smtp_VRFY(self, argument: str) -> None:  # noqa: ARG002, N802
        await self.push("252 2.1.5 Send a mail and see")

    async def smtp_HELP(self, argument: str) -> None:  # noqa: ARG002, N802
        await self.push("214 2.0.0 " + " ".join(self._COMMANDS))

    async def smtp_QUIT(self, argument: str) -> None:  # noqa: ARG002, N802
        raise Goodbye("221 2.0.0 Bye")


def _split_command(line: bytes) -> tuple[str, str]:
    """Verb in upper case, and its argument."""
    text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    verb, _, argument = text.partition(" ")
    return verb.upper(), argument.strip(" ")
