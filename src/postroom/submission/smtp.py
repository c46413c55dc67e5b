"""The SMTP door: who says it, and one mail after the other (RFC 5321, 3207, 4954, 6152, 6531)."""

import asyncio
import ipaddress
import logging
from typing import ClassVar

from aiosmtpd.smtp import TLSSetupException
from django.conf import settings

from postroom.domain.address import suppression_key
from postroom.domain.problem import Problem
from postroom.ledger import keys
from postroom.ledger.acceptance import IdempotencyConflict, KeyRevoked
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.stops import is_stopped
from postroom.submission.accept import accept
from postroom.submission.mail import read_mail
from postroom.submission.smtp_auth import read_login
from postroom.submission.smtp_conversation import Conversation, Goodbye
from postroom.submission.smtp_listener import Listener
from postroom.submission.smtp_path import (
    Path,
    Refused,
    check_forward_path,
    check_reverse_path,
    parse_path,
    recipient_of,
    reply_for,
)
from postroom.submission.smtp_returns import RETURNED_BYTES_MAX, ComingBack, NoSuchAddress
from postroom.submission.smtp_stream import BareLineEnd, TooLarge

log = logging.getLogger(__name__)

DATA_S = 600
"""RFC 5321, section 4.5.3.2: what a client may take for its mail, however slowly it drips."""


class Session(Conversation):
    """One client's session on one of the two listeners."""

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(listener, loop)
        self._caller: keys.Caller | None = None
        self._reverse_path: Path | None = None
        self._recipients: list[str] = []
        self._coming_back = ComingBack(listener.returns)

    _COMMANDS: ClassVar[dict[str, str]] = {
        "EHLO": "smtp_EHLO",
        "HELO": "smtp_HELO",
        "STARTTLS": "smtp_STARTTLS",
        "AUTH": "smtp_AUTH",
        "MAIL": "smtp_MAIL",
        "RCPT": "smtp_RCPT",
        "DATA": "smtp_DATA",
        "RSET": "smtp_RSET",
        "NOOP": "smtp_NOOP",
        "VRFY": "smtp_VRFY",
        "HELP": "smtp_HELP",
        "QUIT": "smtp_QUIT",
    }

    # Who is it

    @property
    def _is_private(self) -> bool:
        """Under TLS, by STARTTLS or from the first byte."""
        transport = self.transport
        return transport is not None and transport.get_extra_info("sslcontext") is not None

    @property
    def _may_authenticate(self) -> bool:
        is_loopback = ipaddress.ip_address(self._peer_ip.split("%")[0]).is_loopback
        return not self._listener.relays and (self._is_private or is_loopback)

    async def _identified(self) -> keys.Caller:
        """The caller; raises Refused for a stranger."""
        if self._caller is None and self._listener.relays:
            self._caller = await self._listener.caller_at(self._peer_ip)
            if self._caller is None:
                raise Refused("550 5.7.1 Mail is not relayed for your address")
        if self._caller is None:
            raise Refused("530 5.7.0 Authentication required")
        return self._caller

    def _greeted(self) -> None:
        if self.session is None or not self.session.host_name:
            raise Refused("503 5.5.1 EHLO or HELO comes first")

    async def smtp_EHLO(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's names
        self._greet(argument, extended=True)
        lines = [self.hostname, *self._extensions()]
        await self.push("\r\n".join(f"250-{line}" for line in lines) + "\r\n250 HELP")

    def _extensions(self) -> list[str]:
        lines = ["PIPELINING", f"SIZE {self.data_size_limit}", "8BITMIME", "SMTPUTF8"]
        lines.append("ENHANCEDSTATUSCODES")
        if self.tls_context and not self._is_private:
            lines.append("STARTTLS")
        if self._may_authenticate:
            lines.append("AUTH PLAIN LOGIN")
        return lines

    async def smtp_HELO(self, argument: str) -> None:  # noqa: N802
        self._greet(argument, extended=False)
        await self.push(f"250 {self.hostname}")

    def _greet(self, name: str, *, extended: bool) -> None:
        if not name:
            raise Refused("501 5.5.4 Give your name")
        self._set_rset_state()
        if self.session is not None:
            self.session.host_name = name
            self.session.extended_smtp = extended

    async def smtp_STARTTLS(self, argument: str) -> None:  # noqa: N802
        if argument:
            raise Refused("501 5.5.4 STARTTLS has no argument")
        if self.tls_context is None or self._is_private:
            raise Refused("503 5.5.1 TLS is not offered here, or is on already")
        # What came before the handshake is nobody's word (RFC 3207, section 4.2).
        self._stream.discard()
        self._caller = None
        try:
            await super().smtp_STARTTLS("")
        except TLSSetupException as failed:
            # The client's affair: it has left, or does not trust the certificate.
            log.info("a TLS handshake failed: %r", failed.__cause__)
            raise ConnectionAbortedError from failed

    async def smtp_AUTH(self, argument: str) -> None:  # noqa: N802
        self._check_auth_possible()
        key_id, secret = await read_login(argument, self._challenge)
        await self._log_in(key_id, secret)
        await self.push("235 2.7.0 Authenticated")

    def _check_auth_possible(self) -> None:
        if self.session is None or not self.session.extended_smtp:
            raise Refused("503 5.5.1 EHLO comes first")
        if self._listener.relays:
            raise Refused("502 5.5.1 AUTH is not offered here")
        if not self._may_authenticate:
            raise Refused("538 5.7.11 Encryption is required: STARTTLS comes first")
        if self._caller is not None or self._reverse_path is not None:
            raise Refused("503 5.5.1 Not now")

    async def _challenge(self, encoded: str) -> bytes:
        await self.push(f"334 {encoded}")
        return await self._read_command()

    async def _log_in(self, key_id: str, secret: str) -> None:
        try:
            self._caller = await asyncio.to_thread(keys.login, key_id, secret)
        except LedgerUnavailable:
            raise Refused("454 4.7.0 Temporary trouble on our side, try again later") from None
        if self._caller is None:
            self._count_failure()
            raise Refused("535 5.7.8 Key id or secret is wrong, or the key is revoked")

    # One mail

    def _set_rset_state(self) -> None:
        super()._set_rset_state()
        self._reverse_path = None
        self._recipients = []
        self._coming_back.clear()

    async def smtp_MAIL(self, argument: str) -> None:  # noqa: N802
        self._greeted()
        if not await self._coming_back.expected():
            await self._identified()
        if self._reverse_path is not None:
            raise Refused("503 5.5.1 A mail is under way: RSET comes first")
        path = parse_path("FROM:", argument)
        check_reverse_path(path, settings.POSTROOM_SMTP_MESSAGE_BYTES_MAX)
        self._reverse_path = path
        await self.push("250 2.1.0 Ok")

    async def smtp_RCPT(self, argument: str) -> None:  # noqa: N802
        if self._reverse_path is None:
            raise Refused("503 5.5.1 MAIL comes first")
        path = parse_path("TO:", argument)
        check_forward_path(path, "SMTPUTF8" in self._reverse_path.parameters)
        if len(self._recipients) >= settings.POSTROOM_SMTP_RCPT_MAX:
            raise Refused("452 4.5.3 Too many recipients for one mail, send the others in another")
        if not await self._comes_back(path.address):
            await self._add_recipient(path)
        await self.push("250 2.1.5 Ok")

    async def _comes_back(self, address: str) -> bool:
        """Whether it is for us; addresses that we never gave out count as failures."""
        try:
            return await self._coming_back.takes(address, others=bool(self._recipients))
        except NoSuchAddress:
            self._count_failure()
            raise Refused("550 5.1.1 There is no such address") from None

    async def _add_recipient(self, path: Path) -> None:
        await self._identified()
        recipient = recipient_of(path, self.hostname)
        await self._check_standing(recipient)
        self._recipients.append(recipient)

    async def _check_standing(self, recipient: str) -> None:
        """Refuses a suppressed recipient where the application asked for that.

        What stops one kind of mail alone does not count yet: the kind stands in the mail, and so
        does whether it is critical.
        """
        caller = await self._identified()
        if not caller.refuse_suppressed or caller.may("critical"):
            return
        key = suppression_key(recipient)
        if await asyncio.to_thread(is_stopped, caller.simulated, key, caller.application_id):
            raise Refused("550 5.7.1 The address is suppressed")

    async def smtp_DATA(self, argument: str) -> None:  # noqa: N802
        if argument:
            raise Refused("501 5.5.4 DATA has no argument")
        if self._reverse_path is None:
            raise Refused("503 5.5.1 MAIL comes first")
        if not self._recipients and not self._coming_back:
            raise Refused("554 5.5.1 No valid recipients")
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        mail_from, rcpt_to = self._reverse_path.address, self._recipients
        if self._coming_back:
            data = await self._read_data(RETURNED_BYTES_MAX)
            reply = await self._coming_back.store(data, mail_from, self._peer_ip)
        else:
            data = await self._read_data(settings.POSTROOM_SMTP_MESSAGE_BYTES_MAX)
            reply = await self._accepted(data, mail_from, rcpt_to)
        self._set_rset_state()
        await self.push(reply)

    async def _read_data(self, bytes_max: int) -> bytes:
        self._reset_timeout(DATA_S)
        try:
            return await self._stream.read_mail(bytes_max)
        except BareLineEnd:
            raise Goodbye("521 5.5.2 A CR or LF stands alone in the mail") from None
        except TooLarge:
            self._set_rset_state()
            raise Refused(f"552 5.3.4 At most {bytes_max} bytes are taken") from None
        finally:
            self._reset_timeout()

    async def _accepted(self, data: bytes, mail_from: str, rcpt_to: list[str]) -> str:
        """The reply once the mail is on disk, or why it is not."""
        caller = await self._identified()
        try:
            future = accept(read_mail(data, mail_from, rcpt_to, caller), caller)
            # The commit goes on when the client has gone: a lost 250 is not a lost mail.
            acceptance = await asyncio.shield(asyncio.wrap_future(future))
        except Problem as problem:
            return reply_for(problem)
        except IdempotencyConflict:
            return "554 5.5.0 The idempotency key was used before with another mail"
        except KeyRevoked:
            return "550 5.7.1 The key is revoked or has run out"
        return "; ".join([f"250 2.0.0 Accepted as {acceptance.message_id}", *acceptance.notes])
