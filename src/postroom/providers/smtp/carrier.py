"""The SMTP carrier: a generic relay, or a provider's SMTP interface.

It takes finished mails and leaves their bytes alone; one recipient per transaction, and one
header of our own on top by which the provider's notifications (or a bounce that quotes the
mail) lead back to the hand-over. RFC 5321, 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 2920.
SendGrid's header: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/building-an-x-smtpapi-header
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from postroom.domain.address import AddressError
from postroom.domain.content import Content
from postroom.domain.return_path import address
from postroom.providers.base import (
    Account,
    Call,
    CannotCarry,
    Capabilities,
    Copy,
    Mail,
    RawMail,
    Refusal,
    Reply,
    ReplyKind,
    Segment,
)
from postroom.providers.smtp.envelope import Envelope
from postroom.providers.smtp.reading import read_door, read_talk
from postroom.providers.smtp.session import Endpoint, Session, SessionRefused, Talk, system_trust
from postroom.providers.smtp.wire import ConnectionLost

OwnHeader = Callable[[Account, UUID, RawMail], bytes]
"""The header lines that carry the hand-over id, line ends included."""

MailFrom = Callable[[Account, UUID, RawMail], str]
"""The envelope sender of one hand-over."""

_CLOSE_S_MAX = 2.0
_IDLE_S_MAX = 20.0
"""Servers close idle connections after a minute and more; a younger one is nearly always alive."""
_IDLE_S_MAX_COUNTED = 1.0
"""Where the connections of all senders are counted, an idle one is wanted elsewhere."""


def relay_header(_account: Account, handover_id: UUID, _mail: RawMail) -> bytes:
    """Our header for any relay."""
    return b"X-Postroom-Handover: %s\r\n" % str(handover_id).encode()


def as_submitted(_account: Account, _handover_id: UUID, mail: RawMail) -> str:
    """The envelope sender that the application gave."""
    return mail.mail_from


def return_path(account: Account, handover_id: UUID, mail: RawMail) -> str:
    """A return path of ours where the account has a domain for them, so that bounces come to us.

    The null sender stays: who sends a notification asks for none (RFC 3834, section 3.3).
    """
    domain = account.settings.get("return_path_domain")
    if not domain or not mail.mail_from:
        return mail.mail_from
    return address(handover_id, domain, bytes.fromhex(account.settings["return_path_key"]))


def sendgrid_header(_account: Account, handover_id: UUID, mail: RawMail) -> bytes:
    """SendGrid's control header: the id comes back in every event, the mail stays as it is."""
    filters = {
        "clicktrack": mail.track_clicks,
        "opentrack": mail.track_opens,
        "subscriptiontrack": False,
        "ganalytics": False,
        "footer": False,
    }
    control = {
        "unique_args": {"postroom_handover": str(handover_id)},
        "filters": {name: {"settings": {"enable": int(on)}} for name, on in filters.items()},
    }
    text = json.dumps(control, separators=(",", ":")).replace("},", "},\r\n ")
    return b"X-SMTPAPI: %s\r\n" % text.encode("ascii")


class SmtpCarrier:
    """Hands over by SMTP; keeps connections for the next mail of the same account."""

    capabilities = Capabilities(
        raw_mime=True,
        custom_envelope=True,
        calendar_alternative=True,
        own_message_id=True,
        substitution=False,
        batch_size=1,
    )

    def __init__(
        self,
        own_header: OwnHeader = relay_header,
        timeout_s: float = 50.0,
        trust: ssl.SSLContext | None = None,
        mail_from: MailFrom = as_submitted,
    ) -> None:
        self._own_header = own_header
        self._mail_from = mail_from
        self._timeout_s = timeout_s
        self._trust = trust
        self._idle: dict[Endpoint, list[tuple[float, Session]]] = {}

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy. Pure. Raises CannotCarry for content that is not built yet."""
        if isinstance(mail, Content):
            raise CannotCarry("SMTP carries finished mails only")
        return [self._call(account, mail, copy) for copy in copies]

    def _call(self, account: Account, mail: RawMail, copy: Copy) -> Call:
        own = self._own_header(account, copy.handover_id, mail)
        segments: tuple[Segment, ...] = (own, *mail.copies[copy.handover_id])
        mail_from = self._mail_from(account, copy.handover_id, mail)
        replaced = ("replaced the envelope sender",) if mail_from != mail.mail_from else ()
        size = sum(len(s) if isinstance(s, bytes) else s.length for s in segments)
        return Call(
            copies=(copy,),
            segments=segments,
            slices=((0, size),),
            shared=mail.shared,
            changes=(*mail.changes, f"added {own.partition(b':')[0].decode()}", *replaced),
            mail_from=mail_from,
        )

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The server's answer to one transaction. Never raises for what network or server do."""
        (copy,) = call.copies
        talk = Talk()
        try:
            endpoint = Endpoint.of(account.settings)
        except ValueError as error:
            return Reply(ReplyKind.ACCOUNT_STOPPED, error=str(error))
        try:
            async with asyncio.timeout(self._timeout_s):
                refusal = await self._hand_over(endpoint, call, talk)
        except SessionRefused as error:
            return read_door(error)
        except (ConnectionLost, OSError) as error:
            why = str(error) or f"no answer within {self._timeout_s:g} s"
            return read_talk(copy.handover_id, talk, why)
        if refusal is not None:
            return Reply(ReplyKind.REFUSED, error=refusal.text, refused={copy.handover_id: refusal})
        return read_talk(copy.handover_id, talk)

    async def _hand_over(self, endpoint: Endpoint, call: Call, talk: Talk) -> Refusal | None:
        """None when the transaction was held; otherwise why it was not even begun."""
        data = call.body()
        try:
            envelope = Envelope.of(call.mail_from, call.copies[0].recipient, data)
        except AddressError as error:
            return Refusal("address_syntax", str(error))
        if (kept := self._take(endpoint)) is not None:
            try:
                refusal = await self._transact(endpoint, kept, envelope, data, talk)
            except ConnectionLost:
                if talk.replies or talk.dotted:
                    raise
            else:
                if not _only_says_goodbye(talk):
                    return refusal
                talk.replies.clear()
        fresh = await Session.open(endpoint, self._trust or system_trust())
        return await self._transact(endpoint, fresh, envelope, data, talk)

    async def _transact(
        self, endpoint: Endpoint, session: Session, envelope: Envelope, data: bytes, talk: Talk
    ) -> Refusal | None:
        if (refusal := envelope.refusal(session.extensions)) is not None:
            self._keep(endpoint, session)
            return refusal
        try:
            await session.transact(*envelope.arguments(session.extensions), data, talk)
        except BaseException:
            # Also when cancelled: content without its final dot must never be completed.
            session.abort()
            raise
        self._keep(endpoint, session)
        return None

    def _take(self, endpoint: Endpoint) -> Session | None:
        """A kept session that is still alive as far as one can see."""
        idle = self._idle.get(endpoint, [])
        while idle:
            since, session = idle.pop()
            if session.usable and time.monotonic() - since < _IDLE_S_MAX:
                return session
            session.abort()
        return None

    def _keep(self, endpoint: Endpoint, session: Session) -> None:
        if not session.usable:
            return
        kept = (time.monotonic(), session)
        self._idle.setdefault(endpoint, []).append(kept)
        if endpoint.is_counted:
            loop = asyncio.get_running_loop()
            loop.call_later(_IDLE_S_MAX_COUNTED, self._let_go, endpoint, kept)

    def _let_go(self, endpoint: Endpoint, kept: tuple[float, Session]) -> None:
        idle = self._idle.get(endpoint, [])
        if kept in idle:
            idle.remove(kept)
            kept[1].abort()

    async def close(self) -> None:
        """Let kept connections go."""
        kept = [session for idle in self._idle.values() for _, session in idle]
        self._idle.clear()
        try:
            async with asyncio.timeout(_CLOSE_S_MAX):
                await asyncio.gather(*(session.close() for session in kept))
        except TimeoutError:
            for session in kept:
                session.abort()


def _only_says_goodbye(talk: Talk) -> bool:
    """The server ends a kept connection: nothing is wrong with the mail or the account."""
    return len(talk.replies) == 1 and talk.replies[0].code == 421
