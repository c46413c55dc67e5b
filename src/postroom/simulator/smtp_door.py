"""The SMTP port of all faces: the credentials say whose interface it is.

The extension DSN (RFC 3461) is offered where one of the faces sends reports; the others take its
parameters and do as they always do.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from postroom.simulator.http_door import HANG_S, House
from postroom.simulator.mischief import Act
from postroom.simulator.smtp_asking import split_asked
from postroom.simulator.smtp_mail import SmtpMail, SmtpRefusedError, SmtpRoad

NULL_SENDER = "<>"
"""Stands for the empty address, which aiosmtpd takes for a missing MAIL command."""

_TROUBLES = {
    Act.TOO_MANY: "451 4.7.0 Too many requests, try again later",
    Act.REFUSE: "550 5.7.1 Message refused",
    Act.ERROR: "451 4.3.0 Service unavailable, try again later",
}


class Conversation(SMTP):
    """A provider's listener as far as a sender can tell."""

    line_length_limit = 2**20
    """Lines over 998 bytes are taken: refusing them is not what providers are known for."""
    reports = False
    """Whether senders may ask for reports."""
    notify = ""
    """What the last RCPT asked for."""

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802  # aiosmtpd's name
        """With the parameters of DSN, which say nothing here."""
        await super().smtp_MAIL(split_asked(arg)[0] if self.reports else arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802  # aiosmtpd's name
        """With the parameters of DSN."""
        if self.reports:
            arg, self.notify = split_asked(arg)
        await super().smtp_RCPT(arg)


class Handler:
    """What happens at each step of a transaction."""

    def __init__(self, roads: Sequence[SmtpRoad], house: House) -> None:
        self._roads, self._house = roads, house

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """PLAIN and LOGIN with the credentials of any face."""
        del server, session, envelope, mechanism
        if isinstance(data, LoginPassword):
            for road in self._roads:
                if road.knows(data.login, data.password):
                    return AuthResult(success=True, auth_data=road)
        return AuthResult(success=False, handled=False)

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """The extensions."""
        del envelope
        session.host_name = hostname
        return [*responses, "250-DSN"] if server.reports else responses

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Nobody sends without credentials."""
        del server
        if not session.authenticated:
            return "550 Unauthenticated senders not allowed"
        envelope.mail_from = address or NULL_SENDER
        envelope.mail_options.extend(options)
        return "250 Sender address accepted"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Refuses an address that is none, and the magic one, by name."""
        del options
        if (objection := _road(session).objection(address, self._house.seed)) is not None:
            return objection
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.append(server.notify)
        return "250 Recipient address accepted"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """250 once the truth log has it on disk."""
        road, trouble = _road(session), self._house.trouble
        wait_s = trouble.latency_s() / 2
        await asyncio.sleep(wait_s)
        if (act := trouble.before()) is not Act.NOTHING:
            return await _mischief(act, server)
        try:
            message_id = await self._take(road, envelope)
        except SmtpRefusedError as refused:
            return str(refused)
        await asyncio.sleep(wait_s)
        if (act := trouble.after()) is not Act.NOTHING:
            return await _mischief(act, server)
        return road.taken(message_id)

    async def _take(self, road: SmtpRoad, envelope: Envelope) -> str:
        """The id under which the mail was taken; raises SmtpRefusedError."""
        data = envelope.content if isinstance(envelope.content, bytes) else b""
        if len(data) > road.data_bytes_max:
            raise SmtpRefusedError("552 5.3.4 Message too big for system")
        mail = SmtpMail(
            (envelope.mail_from or "").removeprefix(NULL_SENDER),
            envelope.rcpt_tos,
            data,
            self._house.seed,
            self._house.silent_share,
            envelope.rcpt_options,
        )
        copies = road.copies(mail)
        await self._house.office.take(copies)
        return copies[0].message_id


def _road(session: Session) -> SmtpRoad:
    """The interface that this session logged in to."""
    road: Any = session.auth_data
    assert isinstance(road, SmtpRoad)  # noqa: S101  # nobody comes so far without
    return road


async def _mischief(act: Act, server: SMTP) -> str:
    """The reply that trouble gives."""
    if act in _TROUBLES:
        return _TROUBLES[act]
    if act is Act.HANG:
        await asyncio.sleep(HANG_S)
    transport = server.transport
    if isinstance(transport, asyncio.Transport):
        if act is Act.HALF:
            transport.write(b"25")
        transport.close()
    return "451 4.3.0 The connection is gone"


class Listener:
    """The open port and its connections."""

    def __init__(self, roads: Sequence[SmtpRoad], house: House) -> None:
        self._handler = Handler(roads, house)
        self._data_bytes_max = max((road.data_bytes_max for road in roads), default=0)
        self._reports = any(road.reports for road in roads)
        self._open: WeakSet[Conversation] = WeakSet()

    async def open(self, bind: str, port: int) -> int:
        """The port that it listens on; raises OSError when it is taken. 0: any free port."""
        self._server = await asyncio.get_running_loop().create_server(self._connected, bind, port)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    def close(self) -> None:
        """Close the port and cut what is connected."""
        self._server.close()
        for conversation in self._open:
            if conversation.transport is not None:
                conversation.transport.close()

    def _connected(self) -> Conversation:
        conversation = Conversation(
            self._handler,
            hostname="smtp.sim.example",
            ident="ESMTP service ready",
            data_size_limit=self._data_bytes_max,
            auth_require_tls=False,
            authenticator=self._handler.authenticate,
            enable_SMTPUTF8=True,
        )
        conversation.reports = self._reports
        self._open.add(conversation)
        return conversation
