"""The SMTP face: the vendor's SMTP interface with its X-SMTPAPI header.

User `apikey`, password the account's key. twilio.com/docs/sendgrid/for-developers/sending-email
(integrating with the SMTP API, building an X-SMTPAPI header), read 2026-11-24. Of the header,
`unique_args`, `category`, `send_at` and the tracking filters are simulated; recipients and
substitutions in it are refused, because nobody here sends them.
"""

import asyncio
import hmac
import json
import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from postroom.simulator.addresses import Fate, decide
from postroom.simulator.config import Config
from postroom.simulator.copies import Copy
from postroom.simulator.mail_people import is_address
from postroom.simulator.mischief import Act, Troublemaker
from postroom.simulator.post_office import PostOffice
from postroom.simulator.sendgrid import BODY_BYTES_MAX, HANG_S
from postroom.simulator.taking import first_link, new_message_id
from postroom.simulator.truth import digest_of_mail

USER = b"apikey"
HEADER = re.compile(rb"^X-SMTPAPI:(.*\r\n(?:[ \t].*\r\n)*)", re.IGNORECASE | re.MULTILINE)
BAD_HEADER = "Invalid SMTPAPI header"
"""The vendor takes such a mail and drops it with this reason."""
NOT_SIMULATED = frozenset({"to", "sub", "section"})

_REFUSED = "550 5.7.1 Message refused"
_TROUBLES = {
    Act.TOO_MANY: "451 4.7.0 Too many requests, try again later",
    Act.REFUSE: _REFUSED,
    Act.ERROR: "451 4.3.0 Service unavailable, try again later",
}


class Face(SMTP):
    """The vendor's listener as far as a sender can tell."""

    line_length_limit = 2**20
    """Lines over 998 bytes are taken: refusing them is not what this provider is known for."""


class Handler:
    """What happens at each step of a transaction."""

    def __init__(self, config: Config, office: PostOffice, trouble: Troublemaker) -> None:
        self._config, self._office, self._trouble = config, office, trouble

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """PLAIN and LOGIN with the account's key."""
        del server, session, envelope, mechanism
        ok = (
            isinstance(data, LoginPassword)
            and data.login == USER
            and hmac.compare_digest(data.password, self._config.api_key.encode())
        )
        return AuthResult(success=ok, handled=ok)

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Nobody sends without the key."""
        del server
        if not session.authenticated:
            return "550 Unauthenticated senders not allowed"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 Sender address accepted"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuses an address that is none, and the magic one, by name."""
        del server, session
        if not is_address(address) or decide(address, self._config.seed).fate is Fate.REFUSE:
            return f"550 5.1.3 Invalid RCPT TO address provided: <{address}>"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 Recipient address accepted"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """250 once the truth log has it on disk."""
        del session
        wait_s = self._trouble.latency_s() / 2
        await asyncio.sleep(wait_s)
        trouble = await _mischief(self._trouble.before(), server)
        if trouble:
            return trouble
        data = envelope.content if isinstance(envelope.content, bytes) else b""
        api, mail = split_api_header(data)
        if api is not None and NOT_SIMULATED & api.keys():
            return "554 5.3.3 This simulator takes no recipients or substitutions in X-SMTPAPI"
        message_id = new_message_id()
        await self._office.take(self._copies(message_id, envelope, api, mail))
        await asyncio.sleep(wait_s)
        trouble = await _mischief(self._trouble.after(), server)
        return trouble or f"250 Ok: queued as {message_id}"

    def _copies(
        self, message_id: str, envelope: Envelope, api: dict[str, Any] | None, mail: bytes
    ) -> list[Copy]:
        head, _, body = mail.partition(b"\r\n\r\n")
        headers = message_from_bytes(head, policy=policy.default)
        flaw = BAD_HEADER if api is None else None
        api, now = api or {}, time.time()
        category = api.get("category", [])
        return [
            Copy(
                message_id=message_id,
                number=number,
                door="smtp",
                recipient=address,
                sender=envelope.mail_from or "",
                to=_addresses(headers, "To"),
                cc=_addresses(headers, "Cc"),
                digest=digest_of_mail(mail),
                smtp_id=str(headers["Message-ID"] or f"<{message_id}@geopod-ismtpd-1>").strip(),
                taken_at=now,
                starts_at=max(now, api.get("send_at", 0)),
                seed=self._config.seed,
                args={key: str(value) for key, value in api.get("unique_args", {}).items()},
                category=(category,) if isinstance(category, str) else tuple(category),
                url=first_link([body.decode(errors="replace")]),
                track_opens=_filter_on(api, "opentrack"),
                track_clicks=_filter_on(api, "clicktrack"),
                silent_share=self._config.silent_share,
                flaw=flaw,
            )
            for number, address in enumerate(envelope.rcpt_tos)
        ]


async def _mischief(act: Act, server: SMTP) -> str | None:
    """The answer that trouble gives; None when there is no trouble."""
    if act is Act.NOTHING:
        return None
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


def split_api_header(data: bytes) -> tuple[dict[str, Any] | None, bytes]:
    """What the first X-SMTPAPI header says, and the mail without any.

    Nothing said is {}; None when the header is not the JSON object that the vendor asks for.
    """
    head, gap, body = data.partition(b"\r\n\r\n")
    head += b"\r\n"
    found = HEADER.search(head)
    if found is None:
        return {}, data
    rest = HEADER.sub(b"", head)
    return _api(found.group(1)), rest.removesuffix(b"\r\n") + gap + body


def _api(text: bytes) -> dict[str, Any] | None:
    try:
        api = json.loads(text.replace(b"\r\n", b""))
    except ValueError:
        return None
    well_formed = (
        isinstance(api, dict)
        and isinstance(api.get("unique_args", {}), dict)
        and isinstance(api.get("category", []), list | str)
        and isinstance(api.get("send_at", 0), int)
        and isinstance(api.get("filters", {}), dict)
    )
    return api if well_formed else None


def _filter_on(api: dict[str, Any], name: str) -> bool:
    """Whether this kind of tracking is on: unless the header turns it off, as in a new account."""
    settings = api.get("filters", {}).get(name, {})
    return bool(settings.get("settings", {}).get("enable", 1)) if settings else True


def _addresses(headers: EmailMessage, name: str) -> tuple[str, ...]:
    return tuple(
        address.addr_spec
        for header in headers.get_all(name, [])
        for address in getattr(header, "addresses", ())
    )


class Listener:
    """The open port and its connections."""

    def __init__(self, config: Config, office: PostOffice, trouble: Troublemaker) -> None:
        self._config = config
        self._handler = Handler(config, office, trouble)
        self._faces: WeakSet[Face] = WeakSet()

    async def open(self) -> int:
        """The port that it listens on; raises OSError when it is taken."""
        self._server = await asyncio.get_running_loop().create_server(
            self._connected, self._config.bind, self._config.smtp_port
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Close the port and cut what is connected."""
        self._server.close()
        for face in self._faces:
            if face.transport is not None:
                face.transport.close()

    def _connected(self) -> Face:
        face = Face(
            self._handler,
            hostname="smtp.sim.example",
            ident="SG ESMTP service ready",
            data_size_limit=BODY_BYTES_MAX,
            auth_require_tls=False,
            authenticator=self._handler.authenticate,
            enable_SMTPUTF8=True,
        )
        self._faces.add(face)
        return face
