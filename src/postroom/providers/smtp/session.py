"""One SMTP session as a client (RFC 5321): greeting, TLS, login, and mail transactions."""

import asyncio
import ipaddress
import re
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, Self

from postroom.providers.smtp.wire import SmtpReply, Wire

Tls = Literal["starttls", "implicit", "none"]
_CHUNK_BYTES = 64 * 1024
_LEADING_DOT = re.compile(rb"(\A|[\r\n])\.")


class SessionRefused(Exception):
    """The server does not let us in."""

    def __init__(self, reply: SmtpReply | None, why: str, *, stopped: bool) -> None:
        super().__init__(why)
        self.reply = reply
        self.stopped = stopped
        """True where a person must act: credentials refused, or unsafe to send."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is reached, and as whom."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    is_counted: bool = False
    """Whether there may be only so many connections of all senders together."""

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Self:
        """The endpoint that an account's `smtp_*` settings name; ValueError when they name none."""
        host = settings.get("smtp_host", "")
        if not host or not host.encode("idna"):
            raise ValueError("smtp_host is missing")
        tls = settings.get("smtp_tls") or ("none" if _is_loopback(host) else "starttls")
        if tls not in _PORTS:
            raise ValueError(f"smtp_tls is starttls, implicit or none, not {tls!r}")
        port = int(settings.get("smtp_port") or _PORTS[tls])
        if not 0 < port < 65_536:
            raise ValueError(f"smtp_port is no port: {port}")
        user = settings.get("smtp_user")
        password, is_counted = settings.get("smtp_password"), "calls_in_flight" in settings
        return cls(host, port, _TLS[tls], user, password, is_counted)

    @property
    def may_log_in(self) -> bool:
        """Credentials travel encrypted, or do not leave this machine."""
        return self.tls != "none" or _is_loopback(self.host)


_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_TLS: dict[str, Tls] = {"starttls": "starttls", "implicit": "implicit", "none": "none"}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def system_trust() -> ssl.SSLContext:
    """TLS with the system's certificate authorities, host name checked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@dataclass(slots=True)
class Talk:
    """What was said in one transaction."""

    replies: list[SmtpReply] = field(default_factory=list)
    dotted: bool = False
    """The final dot was written: from here on only an answer tells whether the mail was taken."""


class Session:
    """An open, greeted and authenticated connection; one transaction at a time."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.extensions: dict[str, str] = {}
        self._dirty = False

    @classmethod
    async def open(cls, endpoint: Endpoint, trust: ssl.SSLContext) -> Self:
        """A session ready for mail; raises SessionRefused, ConnectionLost or OSError."""
        implicit = endpoint.tls == "implicit"
        _, wire = await asyncio.get_running_loop().create_connection(
            Wire,
            endpoint.host,
            endpoint.port,
            ssl=trust if implicit else None,
            server_hostname=endpoint.host if implicit else None,
        )
        session = cls(wire)
        try:
            await session._begin(endpoint, trust)
        except BaseException:
            wire.abort()
            raise
        return session

    async def _begin(self, endpoint: Endpoint, trust: ssl.SSLContext) -> None:
        await self._expect(await self._wire.reply(), "greeting")
        await self._hello()
        if endpoint.tls == "starttls":
            await self._secure(endpoint.host, trust)
        if endpoint.user:
            await self._log_in(endpoint)

    async def _hello(self) -> None:
        reply = await self._say(b"EHLO " + _literal(self._wire.own_address))
        await self._expect(reply, "EHLO")
        lines = reply.text.split("\n")[1:]
        words = (line.partition(" ") for line in lines)
        self.extensions = {name.upper(): rest for name, _, rest in words}

    async def _secure(self, host: str, trust: ssl.SSLContext) -> None:
        if "STARTTLS" not in self.extensions:
            raise SessionRefused(None, "the server offers no STARTTLS", stopped=False)
        await self._expect(await self._say(b"STARTTLS"), "STARTTLS")
        await self._wire.start_tls(trust, host)
        await self._hello()

    async def _log_in(self, endpoint: Endpoint) -> None:
        if not endpoint.may_log_in:
            raise SessionRefused(None, "credentials are not sent without TLS", stopped=True)
        user = (endpoint.user or "").encode()
        password = (endpoint.password or "").encode()
        if "PLAIN" in self.extensions.get("AUTH", "PLAIN").upper().split():
            reply = await self._say(b"AUTH PLAIN " + b64encode(b"\0" + user + b"\0" + password))
        else:
            reply = await self._log_in_by_steps(user, password)
        if reply.code >= 500:
            raise SessionRefused(reply, "the server refuses our credentials", stopped=True)
        await self._expect(reply, "AUTH")

    async def _log_in_by_steps(self, user: bytes, password: bytes) -> SmtpReply:
        reply = await self._say(b"AUTH LOGIN")
        for answer in (user, password):
            if reply.code != 334:
                return reply
            reply = await self._say(b64encode(answer))
        return reply

    async def _say(self, command: bytes) -> SmtpReply:
        self._wire.send(command)
        return await self._wire.reply()

    async def _expect(self, reply: SmtpReply, step: str) -> None:
        if not 200 <= reply.code < 300:
            raise SessionRefused(reply, f"the server refuses us at {step}", stopped=False)

    @property
    def usable(self) -> bool:
        """May carry another transaction."""
        return self._wire.usable

    async def transact(self, mail_from: bytes, recipient: bytes, data: bytes, talk: Talk) -> None:
        """Hand over one mail to one recipient; `talk` tells how far it came even when this raises.

        `mail_from` and `recipient` are the arguments after the colon, angle brackets and
        parameters included. Raises ConnectionLost.
        """
        if self._dirty:
            await self._expect(await self._say(b"RSET"), "RSET")
        self._dirty = True
        commands = (b"MAIL FROM:" + mail_from, b"RCPT TO:" + recipient, b"DATA")
        if not await self._envelope(commands, talk):
            return
        await self._content(stuffed(data), talk)

    async def _envelope(self, commands: tuple[bytes, ...], talk: Talk) -> bool:
        """True when the server waits for the content."""
        if "PIPELINING" in self.extensions:
            return await self._envelope_at_once(commands, talk)
        for command in commands:
            talk.replies.append(await self._say(command))
            if talk.replies[-1].code >= 400:
                return False
        return talk.replies[-1].code == 354

    async def _envelope_at_once(self, commands: tuple[bytes, ...], talk: Talk) -> bool:
        self._wire.send(*commands)
        replies = [await self._wire.reply() for _ in commands]
        refused = [reply for reply in replies if reply.code >= 400]
        talk.replies += replies if not refused else replies[: replies.index(refused[0]) + 1]
        if not refused:
            return replies[-1].code == 354
        if replies[-1].code == 354:
            # The server waits for content although it took no recipient: no dot may follow.
            self._wire.abort()
        return False

    async def _content(self, data: bytes, talk: Talk) -> None:
        for start in range(0, len(data), _CHUNK_BYTES):
            self._wire.write(data[start : start + _CHUNK_BYTES])
            await self._wire.drain()
        self._wire.write(b".\r\n")
        talk.dotted = True
        talk.replies.append(await self._wire.reply())
        self._dirty = False

    async def close(self) -> None:
        """Leave politely, without waiting for the answer."""
        if self._wire.usable:
            self._wire.send(b"QUIT")
        await self._wire.close()

    def abort(self) -> None:
        """Drop the connection, so that a transaction in mid-content never completes."""
        self._wire.abort()


def _literal(address: str) -> bytes:
    """Our name: an address literal (RFC 5321 section 4.1.3), true on any machine."""
    return f"[IPv6:{address}]".encode() if ":" in address else f"[{address}]".encode()


def stuffed(data: bytes) -> bytes:
    """The content with each leading dot doubled after *any* line end, and a final line end.

    A bare CR or LF before a dot counts too: a server that takes it for a line end must not
    find an end of data there (SMTP smuggling).
    """
    safe = _LEADING_DOT.sub(rb"\1..", data) if _may_lead(data) else data
    return safe if safe.endswith(b"\r\n") else safe + b"\r\n"


def _may_lead(data: bytes) -> bool:
    return data.startswith(b".") or b"\n." in data or b"\r." in data
