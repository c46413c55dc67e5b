"""What Mailgun's answers mean, and its calls over real sockets."""

import asyncio
import json
from base64 import b64decode

import pytest
from aiohttp import web

from postroom.providers.base import Account, RawMail, Reply, ReplyKind
from postroom.providers.mailgun import MailgunCarrier, MailgunMimeCarrier
from postroom.providers.mailgun.answers import read_answer
from tests.providers.mail_making import CONTENT, copies, copy
from tests.providers.serving import against


def answer(status: int, body: bytes = b"", count: int = 2, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(status, named, body, copies(count), 1_000.0)


def said(message: str) -> bytes:
    return json.dumps({"message": message}).encode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ReplyKind.TAKEN),
        (400, ReplyKind.REFUSED),
        (401, ReplyKind.ACCOUNT_STOPPED),
        (402, ReplyKind.ACCOUNT_STOPPED),
        (403, ReplyKind.ACCOUNT_STOPPED),
        (404, ReplyKind.ACCOUNT_STOPPED),
        (413, ReplyKind.REFUSED),
        (420, ReplyKind.TRY_LATER),
        (429, ReplyKind.TRY_LATER),
        (302, ReplyKind.TRY_LATER),
        (500, ReplyKind.UNKNOWN),
        (502, ReplyKind.UNKNOWN),
        (503, ReplyKind.TRY_LATER),
        (504, ReplyKind.UNKNOWN),
    ],
)
def test_every_status_has_its_kind(status: int, kind: ReplyKind) -> None:
    assert answer(status).kind is kind
    assert answer(status, b"[" * 100_000).kind is kind


def test_a_taken_call_has_one_id_for_everybody() -> None:
    reply = answer(200, b'{"id":"<20261124.1@mg.example.org>","message":"Queued. Thank you."}')
    assert set(reply.message_ids.values()) == {"20261124.1@mg.example.org"}
    assert len(reply.message_ids) == 2


def test_nobody_of_many_is_named_and_the_only_one_is() -> None:
    body = said("'to' parameter is not a valid address. please check documentation")
    assert not answer(400, body).refused
    (refusal,) = answer(400, body, count=1).refused.values()
    assert (refusal.reason, refusal.reply_code) == ("address_syntax", 400)
    (refusal,) = answer(400, said("'from' parameter is missing"), count=1).refused.values()
    assert refusal.reason == "provider_refused"
    (refusal,) = answer(413, b"too large", count=1).refused.values()
    assert refusal.reason == "message_too_large"


def test_the_wait_is_the_one_that_the_answer_tells() -> None:
    assert answer(429, retry_after="7").retry_after_s == 7
    assert answer(429, x_ratelimit_reset="1012000").retry_after_s == 12
    assert answer(429).retry_after_s is None
    assert answer(429, retry_after="-1", x_ratelimit_reset="soon").retry_after_s is None
    assert answer(420).retry_after_s == 3_600


def test_the_last_call_of_a_limit_lets_the_account_rest_until_there_are_more() -> None:
    last = answer(200, x_ratelimit_remaining="0", x_ratelimit_reset="1012000")
    assert (last.retry_after_s, last.rest_s) == (None, 12)
    assert answer(200, x_ratelimit_remaining="9", x_ratelimit_reset="1012000").rest_s is None


def account(endpoint: str) -> Account:
    settings = {"api_key": "key-secret", "domain": "mg.example.org", "endpoint": endpoint}
    return Account(1, "mg", "mailgun", False, settings)


def test_a_call_goes_to_its_domain_with_the_key_as_password() -> None:
    seen: list[tuple[str, str, str]] = []

    async def take(request: web.Request) -> web.Response:
        form = await request.post()
        scheme, _, credentials = request.headers["Authorization"].partition(" ")
        seen.append((request.path, b64decode(credentials).decode(), str(form["to"])))
        assert scheme == "Basic"
        return web.json_response({"id": "<1@mg.example.org>", "message": "Queued. Thank you."})

    carrier = MailgunCarrier()
    calls = carrier.compose(account(""), CONTENT, [copy(1)])
    (reply,) = asyncio.run(against(take, carrier, account, calls))
    assert (reply.kind, list(reply.message_ids.values())) == (
        ReplyKind.TAKEN,
        ["1@mg.example.org"],
    )
    raw = RawMail("", {copy(2).handover_id: (b"Subject: x\r\n\r\nx\r\n",)}, {})
    mime = MailgunMimeCarrier()
    asyncio.run(against(take, mime, account, mime.compose(account(""), raw, [copy(2)])))
    assert seen == [
        ("/v3/mg.example.org/messages", "api:key-secret", "user1@example.com"),
        ("/v3/mg.example.org/messages.mime", "api:key-secret", "user2@example.com"),
    ]
    assert "key-secret" not in repr(reply)


def test_a_call_that_ends_without_an_answer_has_an_unknown_outcome() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    carrier = MailgunCarrier(0.2)
    calls = carrier.compose(account(""), CONTENT, [copy(1)])
    (reply,) = asyncio.run(against(hang, carrier, account, calls))
    assert (reply.kind, reply.status) == (ReplyKind.UNKNOWN, None)
