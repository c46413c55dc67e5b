"""What Brevo's answers mean, and its calls over real sockets, made twice where that tells more."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from postroom.providers.base import Account, Reply, ReplyKind
from postroom.providers.brevo import BrevoCarrier
from postroom.providers.brevo.answers import CODES, read_answer
from tests.providers.mail_making import CONTENT, copies, copy
from tests.providers.serving import against


def answer(status: int, told: Any = None, count: int = 2, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return read_answer(status, named, body, copies(count))


def error(code: str, message: str = "no") -> dict[str, str]:
    return {"code": code, "message": message}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (201, ReplyKind.TAKEN),
        (202, ReplyKind.TAKEN),
        (400, ReplyKind.REFUSED),
        (401, ReplyKind.ACCOUNT_STOPPED),
        (402, ReplyKind.ACCOUNT_STOPPED),
        (403, ReplyKind.ACCOUNT_STOPPED),
        (404, ReplyKind.TRY_LATER),
        (413, ReplyKind.REFUSED),
        (429, ReplyKind.TRY_LATER),
        (500, ReplyKind.UNKNOWN),
        (503, ReplyKind.TRY_LATER),
    ],
)
def test_every_status_has_its_kind(status: int, kind: ReplyKind) -> None:
    assert answer(status).kind is kind
    assert answer(status, b"[" * 100_000).kind is kind


@pytest.mark.parametrize(("code", "kind"), sorted(CODES.items()))
def test_a_code_says_more_than_its_status(code: str, kind: ReplyKind) -> None:
    assert answer(400, error(code)).kind is kind
    assert answer(500, error(code)).kind is ReplyKind.UNKNOWN
    assert answer(429, error(code)).kind is ReplyKind.TRY_LATER


def test_every_version_has_an_id_of_its_own() -> None:
    reply = answer(201, {"messageIds": ["<1.a@smtp-relay.example>", "<1.b@smtp-relay.example>"]})
    assert list(reply.message_ids.values()) == ["1.a@smtp-relay.example", "1.b@smtp-relay.example"]
    assert list(answer(201, {"messageId": "<1@x>"}, count=1).message_ids.values()) == ["1@x"]
    assert answer(201, {"messageIds": ["<1@x>"]}).message_ids == {}


def test_the_version_that_is_named_is_refused_alone_and_the_others_go_again() -> None:
    reply = answer(400, error("invalid_parameter", "email is not valid in messageVersions[1].to"))
    assert list(reply.refused) == [copy(1).handover_id]
    assert reply.refused[copy(1).handover_id].reason == "address_syntax"
    assert (reply.kind, reply.retry_after_s) == (ReplyKind.TRY_LATER, 0.0)


def test_nobody_of_many_is_refused_without_a_name_and_the_only_one_is() -> None:
    told = error("invalid_parameter", "sender is not valid")
    assert (answer(400, told).kind, answer(400, told).refused) == (ReplyKind.REFUSED, {})
    (refusal,) = answer(400, told, count=1).refused.values()
    assert (refusal.reason, refusal.text) == (
        "provider_refused",
        "invalid_parameter: sender is not valid",
    )


def test_the_wait_is_the_one_that_the_answer_tells() -> None:
    assert answer(429, x_sib_ratelimit_reset="7").retry_after_s == 7
    assert answer(429, x_sib_ratelimit_reset="-7").retry_after_s is None


def test_the_last_call_of_a_limit_lets_the_account_rest_until_there_are_more() -> None:
    last = answer(201, x_sib_ratelimit_remaining="0", x_sib_ratelimit_reset="7")
    assert (last.retry_after_s, last.rest_s) == (None, 7)
    assert answer(201, x_sib_ratelimit_remaining="3", x_sib_ratelimit_reset="7").rest_s is None


def handed_over(*answers: web.Response | None, timeout_s: float = 10.0) -> tuple[Reply, list[Any]]:
    """The reply to one call when Brevo answers so, None being no answer, and what it was sent."""
    waiting, seen = list(answers), []

    def account(endpoint: str) -> Account:
        settings = {"api_key": "xkeysib-secret", "endpoint": endpoint}
        return Account(1, "br", "brevo", False, settings)

    async def handle(request: web.Request) -> web.Response:
        seen.append(await request.json())
        assert (request.path, request.headers["api-key"]) == ("/v3/smtp/email", "xkeysib-secret")
        answer = waiting.pop(0)
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        return answer

    carrier = BrevoCarrier(timeout_s)
    calls = carrier.compose(account(""), CONTENT, copies(1))
    (reply,) = asyncio.run(against(handle, carrier, account, calls))
    return reply, seen


def taken() -> web.Response:
    return web.json_response({"messageIds": ["<1@x>"]}, status=201)


def said(status: int, code: str) -> web.Response:
    return web.json_response(error(code), status=status)


def test_an_answered_call_is_made_once() -> None:
    reply, seen = handed_over(taken())
    assert (reply.kind, len(seen)) == (ReplyKind.TAKEN, 1)


def test_a_call_without_an_answer_is_made_again_under_the_same_key() -> None:
    reply, (first, second) = handed_over(None, taken(), timeout_s=1.0)
    assert reply.kind is ReplyKind.TAKEN
    assert first == second


def test_a_duplicate_was_taken_before() -> None:
    reply, _ = handed_over(None, said(400, "duplicate_parameter"), timeout_s=1.0)
    assert (reply.kind, dict(reply.message_ids)) == (ReplyKind.TAKEN, {})


def test_a_refusal_of_the_second_call_is_one_of_the_first() -> None:
    reply, _ = handed_over(None, said(400, "invalid_parameter"), timeout_s=1.0)
    assert reply.kind is ReplyKind.REFUSED


@pytest.mark.parametrize("second", [None, said(429, ""), said(401, "unauthorized"), said(500, "")])
def test_anything_else_leaves_the_first_call_s_outcome_unknown(second: web.Response | None) -> None:
    reply, seen = handed_over(None, second, timeout_s=1.0)
    assert (reply.kind, reply.status, len(seen)) == (ReplyKind.UNKNOWN, None, 2)
