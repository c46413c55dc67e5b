"""Calls to Amazon SES over real sockets: signed by us, and never made where they cannot succeed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from aiohttp import web

from postroom.providers.base import Copy, Reply, ReplyKind
from postroom.providers.ses import SesCarrier
from postroom.providers.ses.signature import Keys, signed
from tests.providers.ses_making import HANDOVER, KEYS, KIM, account, raw

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TAKEN = {"MessageId": "0100019ab3c07d10-4f1c2b3a-58e6-4d7c-9a0b-1c2d3e4f5a6b-000000"}
PATH = "/v2/email/outbound-emails"


async def against(
    handler: Handler, copy: Copy = KIM, settings: Mapping[str, str] = MappingProxyType({})
) -> Reply:
    """The reply to a call that this handler answers."""
    app = web.Application(client_max_size=2**26)
    app.router.add_post(PATH, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    carrier = SesCarrier(5.0)
    of = account({"endpoint": f"http://127.0.0.1:{runner.addresses[0][1]}", **settings})
    try:
        (call,) = carrier.compose(of, raw(), [copy])
        return await carrier.hand_over(of, call)
    finally:
        await carrier.close()
        await runner.cleanup()


def test_the_service_can_check_the_signature_over_what_it_received() -> None:
    seen = {}

    async def take(request: web.Request) -> web.Response:
        stamp = request.headers["X-Amz-Date"]
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        keys = Keys.of(KEYS, "ses")
        plain = {"Content-Type": request.headers["Content-Type"]}
        body = await request.read()
        again = signed(keys, "POST", f"http://{request.host}{PATH}", plain, body, at)
        seen["same"] = again["Authorization"] == request.headers["Authorization"]
        seen["to"] = json.loads(body)["Destination"]["ToAddresses"]
        return web.json_response(TAKEN)

    reply = asyncio.run(against(take))
    assert seen == {"same": True, "to": ["kim@example.org"]}
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids == {HANDOVER: TAKEN["MessageId"]}


def test_temporary_credentials_bring_their_token() -> None:
    async def take(request: web.Request) -> web.Response:
        return web.json_response({"MessageId": request.headers["X-Amz-Security-Token"]})

    reply = asyncio.run(against(take, settings={"session_token": "the-token"}))
    assert reply.message_ids == {HANDOVER: "the-token"}


def test_a_throttled_call_is_tried_later() -> None:
    async def refuse(_request: web.Request) -> web.Response:
        headers = {"x-amzn-ErrorType": "TooManyRequestsException"}
        said = {"message": "Maximum sending rate exceeded."}
        return web.json_response(said, status=429, headers=headers)

    reply = asyncio.run(against(refuse))
    assert (reply.kind, reply.status, reply.retry_after_s) == (ReplyKind.TRY_LATER, 429, 1.0)


def test_an_address_that_the_service_cannot_write_to_is_refused_without_a_call() -> None:
    async def fail(_request: web.Request) -> web.Response:
        raise AssertionError

    reply = asyncio.run(against(fail, Copy(HANDOVER, "k\u00efm@example.org")))
    assert reply.kind is ReplyKind.REFUSED
    assert reply.refused[HANDOVER].reason == "charset_unsupported"


def test_nobody_listening_means_that_nothing_was_taken() -> None:
    async def refused() -> Reply:
        carrier = SesCarrier(5.0)
        of = account({"endpoint": "http://127.0.0.1:1"})
        (call,) = carrier.compose(of, raw(), [KIM])
        try:
            return await carrier.hand_over(of, call)
        finally:
            await carrier.close()

    assert asyncio.run(refused()).kind is ReplyKind.TRY_LATER
