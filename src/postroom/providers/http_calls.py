"""HTTP calls to providers: kept connections, time-outs, and what a call that broke amounts to."""

import asyncio
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import aiohttp

from postroom.providers.base import Account, Reply, ReplyKind

_CONNECT_S = 10.0
ANSWER_BYTES_MAX = 256 * 1024
"""An answer is a few hundred bytes, or one entry for each of up to 1,000 recipients."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a provider."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """They carry credentials: kept out of logs and records."""
    method: str = "POST"


def endpoint_of(account: Account, default: str) -> str:
    """Where the account's calls go: its own endpoint or the default, without a last slash."""
    return account.settings.get("endpoint", default).rstrip("/")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, verbatim; `headers` have lower-case names, without cookies."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool
    """Whether the body came to its end."""


class HttpCalls:
    """Makes calls and keeps the connections of each account."""

    def __init__(self, timeout_s: float, answer_bytes_max: int = ANSWER_BYTES_MAX) -> None:
        """Every call ends after `timeout_s` seconds, whatever happens."""
        self._answer_bytes_max = answer_bytes_max
        connect_s = min(_CONNECT_S, timeout_s)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s)
        self._sessions: dict[int, aiohttp.ClientSession] = {}

    async def make(
        self, account: Account, request: Request, read: Callable[[Answer], Reply]
    ) -> Reply:
        """What `read` makes of the answer; without an answer, what that amounts to.

        Never raises for what the network or the provider does.
        """
        sent = SimpleNamespace(begun=False)
        try:
            answer = await self._make(account, request, sent)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            return Reply(ReplyKind.ACCOUNT_STOPPED, error="the account's endpoint is no URL")
        except ValueError:
            return Reply(ReplyKind.ACCOUNT_STOPPED, error="the account's key is no header text")
        except (aiohttp.ClientError, OSError) as error:
            kind = ReplyKind.UNKNOWN if sent.begun else ReplyKind.TRY_LATER
            return Reply(kind, error=self._why(error, sent.begun))
        return read(answer)

    async def _make(self, account: Account, request: Request, sent: SimpleNamespace) -> Answer:
        async with self._session(account).request(
            request.method,
            request.url,
            data=io.BytesIO(request.body),
            headers=request.headers,
            allow_redirects=False,
            trace_request_ctx=sent,
        ) as answer:
            body, whole = await _body(answer, self._answer_bytes_max)
            headers = {
                name.lower(): value
                for name, value in answer.headers.items()
                if name.lower() != "set-cookie"
            }
            return Answer(answer.status, headers, body, whole)

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
                headers={"User-Agent": "Postroom"},
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


async def _body(answer: aiohttp.ClientResponse, bytes_max: int) -> tuple[bytes, bool]:
    """The beginning of the answer's body, and whether that is all of it.

    The status line is there already and has decided, however the rest breaks off.
    """
    body = bytearray()
    try:
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > bytes_max:
                return bytes(body[:bytes_max]), False
    except (aiohttp.ClientError, OSError) as error:
        return bytes(body + f" [broken off: {error}]".encode()), False
    return bytes(body), True


def get_once(account: Account, url: str, timeout_s: float) -> Reply:
    """The answer at an address, TAKEN when it is a whole 200; for roles without an event loop."""
    return asyncio.run(_get_once(account, url, timeout_s))


async def _get_once(account: Account, url: str, timeout_s: float) -> Reply:
    calls = HttpCalls(timeout_s)
    try:
        return await calls.make(account, Request(url, b"", {}, "GET"), _as_it_is)
    finally:
        await calls.close()


def _as_it_is(answer: Answer) -> Reply:
    kind = ReplyKind.TAKEN if answer.status == 200 and answer.whole else ReplyKind.TRY_LATER
    return Reply(kind, answer.status, answer.headers, answer.body)
