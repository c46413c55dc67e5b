"""What Resend's answers mean, and its calls over real sockets, made twice where that tells more."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from postroom.domain.content import Content
from postroom.providers.base import Account, Copy, Reply, ReplyKind
from postroom.providers.http_calls import Answer
from postroom.providers.resend import ResendCarrier
from postroom.providers.resend.answers import ERRORS, QUOTA_WAIT_S, read_answer
from tests.providers.mail_making import CONTENT, PDF, copies, copy
from tests.providers.serving import against


def answer(status: int, told: Any = None, count: int = 2, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return read_answer(Answer(status, named, body, True), copies(count))


def error(name: str, message: str = "no") -> dict[str, Any]:
    return {"statusCode": 0, "name": name, "message": message}


@pytest.mark.parametrize(("status", "name", "kind"), [(*key, kind) for key, kind in ERRORS.items()])
def test_every_error_of_the_vendor_s_page_has_its_kind(
    status: int, name: str, kind: ReplyKind
) -> None:
    assert answer(status, error(name)).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ReplyKind.TRY_LATER),
        (400, ReplyKind.REFUSED),
        (401, ReplyKind.ACCOUNT_STOPPED),
        (403, ReplyKind.ACCOUNT_STOPPED),
        (404, ReplyKind.TRY_LATER),
        (413, ReplyKind.REFUSED),
        (422, ReplyKind.REFUSED),
        (429, ReplyKind.TRY_LATER),
        (500, ReplyKind.UNKNOWN),
        (502, ReplyKind.UNKNOWN),
        (503, ReplyKind.UNKNOWN),
    ],
)
def test_every_status_without_a_name_has_its_kind(status: int, kind: ReplyKind) -> None:
    assert answer(status).kind is kind
    assert answer(status, b"[" * 100_000).kind is kind


def test_every_mail_of_a_batch_has_an_id_of_its_own() -> None:
    reply = answer(200, {"data": [{"id": "a"}, {"id": "b"}]})
    assert reply.kind is ReplyKind.TAKEN
    assert dict(reply.message_ids) == {copy(0).handover_id: "a", copy(1).handover_id: "b"}
    assert list(answer(200, {"id": "a"}, count=1).message_ids.values()) == ["a"]


def test_of_a_batch_the_bad_ones_are_refused_and_the_good_ones_taken() -> None:
    told = {
        "data": [{"id": "a"}, {"id": "c"}],
        "errors": [
            {"index": 1, "message": "Invalid `to` field. The email address needs to follow ..."}
        ],
    }
    reply = answer(200, told, count=3)
    assert dict(reply.message_ids) == {copy(0).handover_id: "a", copy(2).handover_id: "c"}
    assert list(reply.refused) == [copy(1).handover_id]
    assert reply.refused[copy(1).handover_id].reason == "address_syntax"


@pytest.mark.parametrize(
    "told",
    [
        b'{"data":[{"id":"a"}',
        {"data": [{"id": "a"}]},
        {"data": [{"id": "a"}, {"id": 7}]},
        {"data": [], "errors": [{"index": 9, "message": "x"}, {"index": "0"}, 7]},
        {"data": [{"id": "a"}, {"id": "b"}], "errors": [{"index": 0, "message": "x"}]},
        [],
    ],
)
def test_an_answer_that_does_not_add_up_tells_nothing(told: Any) -> None:
    reply = answer(200, told)
    assert (reply.kind, dict(reply.message_ids), dict(reply.refused)) == (ReplyKind.UNKNOWN, {}, {})


def test_nobody_of_many_is_refused_without_a_name_and_the_only_one_is() -> None:
    told = error("validation_error", "The example.com domain is not verified")
    assert (answer(403, told).kind, answer(403, told).refused) == (ReplyKind.REFUSED, {})
    (refusal,) = answer(403, told, count=1).refused.values()
    assert (refusal.reason, refusal.reply_code) == ("provider_refused", 403)


def test_the_wait_is_the_one_that_the_answer_tells() -> None:
    limited, used_up = error("rate_limit_exceeded"), error("daily_quota_exceeded")
    assert answer(429, limited, retry_after="3").retry_after_s == 3
    assert answer(429, limited, ratelimit_reset="0").retry_after_s == 1
    assert answer(429, limited, retry_after="soon").retry_after_s is None
    assert answer(429, used_up).retry_after_s == QUOTA_WAIT_S


def test_the_last_call_of_a_limit_lets_the_account_rest_until_there_are_more() -> None:
    told = {"data": [{"id": "a"}, {"id": "b"}]}
    assert answer(200, told, ratelimit_remaining="0", ratelimit_reset="1").rest_s == 1
    assert answer(200, told, ratelimit_remaining="4", ratelimit_reset="1").rest_s is None


class Served:
    """What one call came to when Resend answers so, None being no answer."""

    def __init__(
        self,
        *answers: web.Response | None,
        content: Content = CONTENT,
        to: Sequence[Copy] = (copy(0),),
        timeout_s: float = 10.0,
    ) -> None:
        self.requests: list[tuple[str, str, str, bytes]] = []
        self._waiting = list(answers)
        carrier = ResendCarrier(timeout_s)
        calls = carrier.compose(self._account(""), content, to)
        (self.reply,) = asyncio.run(against(self._handle, carrier, self._account, calls))

    @staticmethod
    def _account(endpoint: str) -> Account:
        return Account(1, "re", "resend", False, {"api_key": "re_secret", "endpoint": endpoint})

    async def _handle(self, request: web.Request) -> web.Response:
        said = request.headers
        assert (said["Authorization"], said["User-Agent"]) == ("Bearer re_secret", "Postroom")
        key, checked = said["Idempotency-Key"], said["x-batch-validation"]
        self.requests.append((request.path, key, checked, await request.read()))
        answer = self._waiting.pop(0)
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        return answer


def taken(*ids: str) -> web.Response:
    return web.json_response({"data": [{"id": id} for id in ids]})


def said(status: int, name: str) -> web.Response:
    return web.json_response(error(name), status=status)


def test_a_batch_is_posted_once_to_be_checked_entry_by_entry() -> None:
    served = Served(taken("a", "b"), to=copies(2))
    ((path, _, checked, _),) = served.requests
    assert (path, checked) == ("/emails/batch", "permissive")
    assert served.reply.kind is ReplyKind.TAKEN


def test_a_mail_with_attachments_is_posted_by_itself() -> None:
    served = Served(web.json_response({"id": "a"}), content=replace(CONTENT, attachments=(PDF,)))
    assert served.requests[0][0] == "/emails"
    assert list(served.reply.message_ids.values()) == ["a"]


def test_a_call_without_an_answer_is_made_again_under_the_same_key() -> None:
    served = Served(None, taken("a"), timeout_s=1.0)
    first, second = served.requests
    assert first == second
    assert list(served.reply.message_ids.values()) == ["a"]


@pytest.mark.parametrize(
    "first", [said(500, "internal_server_error"), web.Response(body=b'{"data":[', status=200)]
)
def test_an_answer_that_tells_nothing_is_asked_for_again(first: web.Response) -> None:
    assert Served(first, taken("a")).reply.kind is ReplyKind.TAKEN


def test_a_refusal_of_the_second_call_is_one_of_the_first() -> None:
    served = Served(None, said(422, "invalid_parameter"), timeout_s=1.0)
    assert served.reply.kind is ReplyKind.REFUSED


@pytest.mark.parametrize(
    "second",
    [
        None,
        said(429, "rate_limit_exceeded"),
        said(401, "missing_api_key"),
        said(409, "concurrent_idempotent_requests"),
        said(500, "application_error"),
    ],
)
def test_anything_else_leaves_the_first_call_s_outcome_unknown(second: web.Response | None) -> None:
    served = Served(None, second, timeout_s=1.0)
    reply = served.reply
    assert (reply.kind, reply.status, len(served.requests)) == (ReplyKind.UNKNOWN, None, 2)


def test_a_call_that_reached_nobody_may_be_tried_later() -> None:
    account = Account(1, "re", "resend", False, {"api_key": "x", "endpoint": "http://127.0.0.1:9"})

    async def hand_over() -> Reply:
        carrier = ResendCarrier(5.0)
        (call,) = carrier.compose(account, CONTENT, copies(1))
        try:
            return await carrier.hand_over(account, call)
        finally:
            await carrier.close()

    assert asyncio.run(hand_over()).kind is ReplyKind.TRY_LATER
