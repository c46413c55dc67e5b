"""Calls by Anymail over real sockets: what each provider is sent, and what its answers mean."""

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from postroom.domain.content import Content
from postroom.providers.anymail.answers import STATUSES, WORDS
from postroom.providers.anymail.carrier import AnymailCarrier
from postroom.providers.anymail.esps import ESPS
from postroom.providers.base import Account, Copy, Reply, ReplyKind
from tests.providers.mail_making import CONTENT, LOGO, PDF, PLAIN, copies, copy
from tests.providers.serving import against

KEYS = {"api_token": "t0ken", "api_key": "t0ken", "secret_key": "t0ken", "project_id": "p1"}
WHERE_THE_KEY_IS = {
    "mailtrap": "Api-Token",
    "mailersend": "Authorization",
    "postal": "X-Server-API-Key",
    "scaleway": "X-Auth-Token",
    "unisender_go": "X-API-KEY",
}
TAKEN: dict[str, Any] = {
    "mailtrap": {"success": True, "responses": [{"success": True, "message_ids": ["m1"]}]},
    "mandrill": [{"email": "user0@example.com", "status": "queued", "_id": "m1"}],
    "postal": {
        "status": "success",
        "data": {"message_id": "x@rp", "messages": {"user0@example.com": {"id": 1, "token": "t"}}},
    },
    "scaleway": {"emails": [{"id": "m1", "status": "new", "mail_rcpt": "user0@example.com"}]},
    "unisender_go": {"status": "success", "job_id": "j1", "emails": ["user0@example.com"]},
}
"""Answers by which one copy is taken, as the vendors' pages show them."""


class Served:
    """What one call came to when the provider answers so, None being no answer."""

    def __init__(
        self,
        provider: str,
        answer: web.Response | None,
        content: Content = CONTENT,
        to: Sequence[Copy] = (copy(0),),
        timeout_s: float = 10.0,
    ) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self._provider, self._answer = provider, answer
        carrier = AnymailCarrier(provider, timeout_s)
        calls = carrier.compose(self._account(""), content, to)
        (self.reply,) = asyncio.run(against(self._handle, carrier, self._account, calls))

    @property
    def kind(self) -> ReplyKind:
        return self.reply.kind

    def _account(self, endpoint: str) -> Account:
        return Account(1, "x", self._provider, False, {**KEYS, "endpoint": endpoint})

    async def _handle(self, request: web.Request) -> web.Response:
        self.headers, self.body = dict(request.headers), await request.read()
        if self._answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        return self._answer


def answers(provider: str) -> web.Response:
    if provider == "mailersend":
        return web.Response(status=202, headers={"X-Message-Id": "m1"}, content_type="text/html")
    return web.json_response(TAKEN[provider])


@pytest.mark.parametrize("provider", ESPS)
def test_a_mail_reaches_every_provider_with_its_id_and_in_its_words(provider: str) -> None:
    served = Served(provider, answers(provider), replace(CONTENT, attachments=(PDF,)))
    body = served.body.decode()
    assert str(copy(0).handover_id) in body
    assert "Dear N0, your code is C0" in body
    assert base64.b64encode(PDF.content).decode() in body
    said = served.headers.get(WHERE_THE_KEY_IS.get(provider, ""), body)
    assert "t0ken" in said
    assert served.kind is ReplyKind.TAKEN
    assert served.reply.message_ids[copy(0).handover_id]
    assert served.reply.body == (answers(provider).body or b"")


def test_nobody_of_a_batch_sees_another_and_each_has_an_id_of_his_own() -> None:
    told = {
        "success": True,
        "responses": [{"success": True, "message_ids": [id]} for id in ("a", "b")],
    }
    served = Served("mailtrap", web.json_response(told), PLAIN, copies(2))
    entries = json.loads(served.body)["requests"]
    assert [entry["to"] for entry in entries] == [
        [{"email": "user0@example.com"}],
        [{"email": "user1@example.com"}],
    ]
    marks = [entry["custom_variables"]["postroom_handover"] for entry in entries]
    assert marks == [str(one.handover_id) for one in copies(2)]
    assert list(served.reply.message_ids.values()) == ["a", "b"]


def test_one_of_a_batch_can_fail_alone() -> None:
    told = [
        {"email": "USER0@example.com", "status": "sent", "_id": "m1"},
        {"email": "user1@example.com", "status": "rejected", "reject_reason": "unsub"},
        {"email": "user2@example.com", "status": "invalid"},
    ]
    reply = Served("mandrill", web.json_response(told), PLAIN, copies(3)).reply
    assert (reply.kind, list(reply.message_ids.values())) == (ReplyKind.TAKEN, ["m1"])
    assert [refusal.reason for refusal in reply.refused.values()] == [
        "suppressed_by_provider",
        "address_syntax",
    ]


def test_of_whom_the_answer_says_nothing_nobody_can_tell() -> None:
    told = [{"email": "user0@example.com", "status": "sent", "_id": "m1"}]
    reply = Served("mandrill", web.json_response(told), PLAIN, copies(2)).reply
    assert (reply.kind, list(reply.message_ids.values())) == (ReplyKind.UNKNOWN, ["m1"])


def test_all_refused_is_no_error_of_the_call() -> None:
    told = [{"email": "user0@example.com", "status": "rejected"}]
    reply = Served("mandrill", web.json_response(told)).reply
    assert list(reply.refused) == [copy(0).handover_id]


def test_an_inline_image_keeps_its_name_and_its_bytes() -> None:
    content = replace(PLAIN, html="<img src='cid:logo.png'>", attachments=(LOGO,))
    served = Served("mailtrap", answers("mailtrap"), content)
    (attachment,) = json.loads(served.body)["base"]["attachments"]
    assert attachment["content_id"] == "logo.png"
    assert base64.b64decode(attachment["content"]) == LOGO.content


def test_a_name_beyond_ascii_and_an_international_domain_arrive() -> None:
    to = Copy(copy(0).handover_id, "jo@xn--bcher-kva.example", 'Åse "B", Berg')
    told = {"success": True, "responses": [{"success": True, "message_ids": ["m1"]}]}
    served = Served("mailtrap", web.json_response(told), PLAIN, [to])
    (entry,) = json.loads(served.body)["requests"]
    assert entry["to"] == [{"email": "jo@xn--bcher-kva.example", "name": 'Åse "B", Berg'}]
    assert entry["custom_variables"]["postroom_handover"] == str(to.handover_id)
    assert served.kind is ReplyKind.TAKEN


@pytest.mark.parametrize("status", [*STATUSES, 302, 404, 429, 500, 502, 503])
def test_every_status_has_its_kind(status: int) -> None:
    headers = {"Retry-After": "7", "Location": "/elsewhere"}
    reply = Served("mailtrap", web.json_response({}, status=status, headers=headers)).reply
    other = ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER
    assert reply.kind is STATUSES.get(status, other)
    assert reply.retry_after_s == (7 if status in (404, 429) else None)
    assert bool(reply.refused) == (reply.kind is ReplyKind.REFUSED)


@pytest.mark.parametrize(("word", "kind"), WORDS.items())
def test_a_vendor_s_own_word_says_more_than_its_status(word: str, kind: ReplyKind) -> None:
    postal = {"status": "error", "data": {"code": word, "message": "no"}}
    mandrill = {"status": "error", "code": -1, "name": word, "message": "no"}
    assert Served("postal", web.json_response(postal)).kind is kind
    assert Served("mandrill", web.json_response(mandrill, status=500)).kind is kind


@pytest.mark.parametrize("body", [b'{"success":tru', b"{}", b"[]", b'{"success":true}', b""])
def test_a_success_that_nobody_can_read_is_unknown(body: bytes) -> None:
    answer = web.Response(body=body, content_type="application/json")
    reply = Served("mailtrap", answer).reply
    assert reply.kind is ReplyKind.UNKNOWN


def test_a_call_without_an_answer_is_unknown() -> None:
    reply = Served("mailtrap", None, timeout_s=0.5).reply
    assert (reply.kind, reply.status) == (ReplyKind.UNKNOWN, None)


def hand_over(provider: str, **settings: str) -> Reply:
    account = Account(1, "x", provider, False, {**KEYS, **settings})

    async def made() -> Reply:
        carrier = AnymailCarrier(provider, 5.0)
        (call,) = carrier.compose(account, PLAIN, copies(1))
        return await carrier.hand_over(account, call)

    return asyncio.run(made())


def test_a_call_that_reached_nobody_may_be_tried_later() -> None:
    assert hand_over("mailtrap", endpoint="http://127.0.0.1:9/").kind is ReplyKind.TRY_LATER


@pytest.mark.parametrize(
    ("endpoint", "token"),
    [("nonsense", "x"), ("ftp://127.0.0.1/", "x"), ("http://127.0.0.1:9/", "a\nb")],
)
def test_an_account_that_cannot_be_called_is_stopped(endpoint: str, token: str) -> None:
    reply = hand_over("mailtrap", endpoint=endpoint, api_token=token)
    assert reply.kind is ReplyKind.ACCOUNT_STOPPED
    assert token not in (reply.error or "") or token == "x"


def test_a_connection_that_breaks_off_is_unknown() -> None:
    async def made() -> Reply:
        async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = {**KEYS, "endpoint": f"http://127.0.0.1:{port}/"}
        account = Account(1, "x", "mailtrap", False, settings)
        carrier = AnymailCarrier("mailtrap", 5.0)
        (call,) = carrier.compose(account, PLAIN, copies(1))
        async with server:
            return await carrier.hand_over(account, call)

    assert asyncio.run(made()).kind is ReplyKind.UNKNOWN


def test_the_record_of_a_call_holds_no_key() -> None:
    account = Account(1, "x", "mandrill", False, KEYS)
    (call,) = AnymailCarrier("mandrill").compose(account, PLAIN, copies(1))
    assert b"t0ken" not in call.body()
