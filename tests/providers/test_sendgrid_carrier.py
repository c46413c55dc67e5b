"""Calls over real sockets: whatever network and provider do, the reply says what is known."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from aiohttp import web

from postroom.domain.content import Content, Mailbox
from postroom.providers.base import Account, Copy, Reply, ReplyKind
from postroom.providers.sendgrid import SendGridCarrier
from tests.helpers import free_ports

KEY = "SG.this-is-secret"
CONTENT = Content(Mailbox("news@example.com"), "Hello", text="Hello")
COPY = Copy(UUID(int=7), "jo@example.com")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def handed_over(
    endpoint: str, timeout_s: float = 5.0, times: int = 1, key: str = KEY
) -> list[Reply]:
    carrier = SendGridCarrier(timeout_s)
    account = Account(1, "sg", "sendgrid", False, {"api_key": key, "endpoint": endpoint})
    (call,) = carrier.compose(account, CONTENT, [COPY])
    try:
        return [await carrier.hand_over(account, call) for _ in range(times)]
    finally:
        await carrier.close()


async def against(handler: Handler, timeout_s: float = 5.0, times: int = 1) -> list[Reply]:
    """The replies to calls that this handler answers."""
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v3/mail/send", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        return await handed_over(f"http://127.0.0.1:{runner.addresses[0][1]}/", timeout_s, times)
    finally:
        await runner.cleanup()


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that treats its one connection so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, talk))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def _serve(listener: socket.socket, talk: Callable[[socket.socket], None]) -> None:
    connection, _ = listener.accept()
    with connection:
        talk(connection)


def reply_to(talk: Callable[[socket.socket], None], timeout_s: float = 5.0) -> Reply:
    with server(talk) as url:
        (reply,) = asyncio.run(handed_over(url, timeout_s))
        return reply


def test_a_taken_call_gives_its_id_and_shows_the_key_to_the_provider_alone() -> None:
    seen: list[web.Request] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request)
        assert (await request.json())["personalizations"][0]["to"] == [{"email": COPY.recipient}]
        headers = {"X-Message-Id": "a1b2", "Set-Cookie": "session=secret"}
        return web.Response(status=202, headers=headers)

    (reply,) = asyncio.run(against(take))
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids == {COPY.handover_id: "a1b2"}
    assert seen[0].headers["Authorization"] == f"Bearer {KEY}"
    assert seen[0].headers["Content-Type"] == "application/json"
    assert "set-cookie" not in reply.headers
    assert KEY not in repr(reply)


def test_one_connection_serves_many_calls() -> None:
    ports: set[object] = set()

    async def take(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        await request.read()
        return web.Response(status=202)

    replies = asyncio.run(against(take, times=5))
    assert [reply.kind for reply in replies] == [ReplyKind.TAKEN] * 5
    assert len(ports) == 1


def test_a_refused_call_keeps_the_provider_s_words() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=400, text='{"errors":[{"message":"bad","field":"subject"}]}')

    (reply,) = asyncio.run(against(refuse))
    assert (reply.kind, reply.status) == (ReplyKind.REFUSED, 400)
    assert b"bad" in reply.body


def test_a_redirect_is_not_followed_with_our_key() -> None:
    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/elsewhere")

    (reply,) = asyncio.run(against(redirect))
    assert (reply.kind, reply.status) == (ReplyKind.TRY_LATER, 307)


def test_a_port_where_nobody_listens_means_try_later() -> None:
    (port,) = free_ports(1)
    (reply,) = asyncio.run(handed_over(f"http://127.0.0.1:{port}"))
    assert reply.kind is ReplyKind.TRY_LATER
    assert reply.error


def test_silence_after_the_request_was_sent_is_unknown() -> None:
    async def hang(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    (reply,) = asyncio.run(against(hang, timeout_s=0.3))
    assert reply.kind is ReplyKind.UNKNOWN
    assert reply.error == "timed out after 0.3 s waiting for the answer"


def _read_then(answer: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(256 * 1024)
        connection.sendall(answer)

    return talk


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 202 Acc", b"HTTP/1.1 202 Accepted\r\nX-Message", b"\x00\xff garbage\r\n\r\n"],
)
def test_a_connection_cut_before_the_answer_is_whole_is_unknown(answer: bytes) -> None:
    assert reply_to(_read_then(answer)).kind is ReplyKind.UNKNOWN


def test_a_status_counts_even_when_the_body_breaks_off() -> None:
    cut = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: a1\r\nContent-Length: 500\r\n\r\nhalf"
    reply = reply_to(_read_then(cut))
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids == {COPY.handover_id: "a1"}


def test_an_endless_answer_is_read_to_a_limit() -> None:
    long = b"HTTP/1.1 500 Oops\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_000_000
    reply = reply_to(_read_then(long))
    assert reply.kind is ReplyKind.UNKNOWN
    assert len(reply.body) <= 256 * 1024


def test_no_tls_where_tls_was_expected_means_try_later() -> None:
    with server(lambda connection: connection.sendall(b"220 not TLS\r\n")) as url:
        (reply,) = asyncio.run(handed_over(url.replace("http:", "https:")))
    assert reply.kind is ReplyKind.TRY_LATER


@pytest.mark.parametrize("endpoint", ["", "nonsense", "http://", "ftp://example.com"])
def test_an_endpoint_that_is_no_url_stops_the_account(endpoint: str) -> None:
    (reply,) = asyncio.run(handed_over(endpoint))
    assert reply.kind is ReplyKind.ACCOUNT_STOPPED


@pytest.mark.parametrize("key", ["a\nb", "\ud800", "clé"])
def test_a_key_that_is_no_header_text_never_breaks_the_sender(key: str) -> None:
    (port,) = free_ports(1)
    (reply,) = asyncio.run(handed_over(f"http://127.0.0.1:{port}", key=key))
    assert reply.kind in {ReplyKind.ACCOUNT_STOPPED, ReplyKind.TRY_LATER}
    assert key not in repr(reply)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", ReplyKind.TRY_LATER),
        ("<h1>503 Service Unavailable</h1>", ReplyKind.TRY_LATER),
        ("no healthy upstream", ReplyKind.TRY_LATER),
        ("upstream connect error. reset reason: connection failure", ReplyKind.TRY_LATER),
        ("upstream connect error. reset reason: connection termination", ReplyKind.UNKNOWN),
        ("<title>503 first byte timeout</title>", ReplyKind.UNKNOWN),
        ("<h1>Error 503 Backend fetch failed</h1>", ReplyKind.UNKNOWN),
    ],
)
def test_a_503_of_a_proxy_that_had_passed_the_call_on_tells_nothing(
    body: str, kind: ReplyKind
) -> None:
    async def unavailable(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=503, text=body, headers={"Retry-After": "7"})

    (reply,) = asyncio.run(against(unavailable))
    assert reply.kind is kind
    assert (reply.retry_after_s is None) is (kind is ReplyKind.UNKNOWN)
