"""SendGrid: hands over by `POST /v3/mail/send`, and hears by the Event Webhook.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, read 2026-11-24. There is
no idempotency key: a call that broke after it was sent has an unknown outcome.
"""

import io
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import aiohttp

from postroom.domain.content import Content
from postroom.providers.base import (
    Account,
    Call,
    CannotCarry,
    Capabilities,
    Copy,
    Mail,
    Reply,
    ReplyKind,
)
from postroom.providers.sendgrid.answers import read_answer
from postroom.providers.sendgrid.compose import RECIPIENTS_MAX, Frame, calls, frame_of
from postroom.providers.sendgrid.events import SendGridReceiver

__all__ = ["SendGridCarrier", "SendGridReceiver"]

ENDPOINT = "https://api.sendgrid.com"
_CONNECT_S = 10.0
_ANSWER_BYTES_MAX = 65_536
"""An answer is a few hundred bytes; one error for each of 1,000 recipients still fits."""
_FRAMES_KEPT = 4
"""Mails whose shared parts are kept: the sender works on few at a time, of up to 30 MB each."""


def _new_delimiter() -> str:
    return secrets.token_hex(8)


class SendGridCarrier:
    """Hands over by SendGrid's JSON; keeps the connections of each account."""

    capabilities = Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=True,
        batch_size=RECIPIENTS_MAX,
    )

    def __init__(
        self, timeout_s: float = 40.0, new_delimiter: Callable[[], str] = _new_delimiter
    ) -> None:
        """A carrier whose calls end after `timeout_s` seconds; `new_delimiter` is for tests."""
        connect_s = min(_CONNECT_S, timeout_s)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s)
        self._frames = _Frames(new_delimiter)
        self._sessions: dict[int, aiohttp.ClientSession] = {}

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry("SendGrid's JSON takes no finished mail")
        return list(calls(self._frames.of(mail), copies))

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        sent = SimpleNamespace(begun=False)
        try:
            return await self._post(account, call, sent)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            return Reply(ReplyKind.ACCOUNT_STOPPED, error="the account's endpoint is no URL")
        except ValueError:
            return Reply(ReplyKind.ACCOUNT_STOPPED, error="the account's api_key is no header text")
        except (aiohttp.ClientError, OSError) as error:
            kind = ReplyKind.UNKNOWN if sent.begun else ReplyKind.TRY_LATER
            return Reply(kind, error=self._why(error, sent.begun))

    async def _post(self, account: Account, call: Call, sent: SimpleNamespace) -> Reply:
        endpoint = account.settings.get("endpoint", ENDPOINT).rstrip("/")
        async with self._session(account).post(
            f"{endpoint}/v3/mail/send",
            data=io.BytesIO(call.body()),
            headers={
                "Authorization": f"Bearer {account.settings.get('api_key', '')}",
                "Content-Type": "application/json",
            },
            allow_redirects=False,
            trace_request_ctx=sent,
        ) as answer:
            body = await _body(answer)
            headers = {
                name.lower(): value
                for name, value in answer.headers.items()
                if name.lower() != "set-cookie"
            }
            return read_answer(answer.status, headers, body, call.copies, time.time())

    def _session(self, account: Account) -> aiohttp.ClientSession:
        session = self._sessions.get(account.id)
        if session is None:
            tracing = aiohttp.TraceConfig()
            tracing.on_request_headers_sent.append(_note_begun)
            session = self._sessions[account.id] = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[tracing],
            )
        return session

    def _why(self, error: Exception, begun: bool) -> str:
        if isinstance(error, TimeoutError):
            phase = "waiting for the answer" if begun else "connecting"
            limit_s = self._timeout.total if begun else self._timeout.connect
            return f"timed out after {limit_s:g} s {phase}"
        return str(error) or type(error).__name__

    async def close(self) -> None:
        """Let kept connections go."""
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()


async def _note_begun(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: object
) -> None:
    """From here on nobody can tell whether a call that breaks was taken."""
    context.trace_request_ctx.begun = True


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """The beginning of the answer's body: the status has decided, however the rest breaks off."""
    body = bytearray()
    try:
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) >= _ANSWER_BYTES_MAX:
                break
    except (aiohttp.ClientError, OSError) as error:
        body += f" [broken off: {error}]".encode()
    return bytes(body[:_ANSWER_BYTES_MAX])


class _Frames:
    """The frames of the mails composed last; safe for threads."""

    def __init__(self, new_delimiter: Callable[[], str]) -> None:
        self._new_delimiter = new_delimiter
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, content: Content) -> Frame:
        """The frame of this very object; a frame keeps its content alive, so ids stay unique."""
        with self._lock:
            frame = self._kept.get(id(content))
            if frame is None:
                frame = self._kept[id(content)] = frame_of(content, self._new_delimiter)
                while len(self._kept) > _FRAMES_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(id(content))
            return frame
