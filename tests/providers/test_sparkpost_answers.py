"""What SparkPost's answers mean, and its calls over real sockets."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from postroom.providers.base import Account, Reply, ReplyKind
from postroom.providers.sparkpost import SparkPostCarrier
from postroom.providers.sparkpost.answers import read_answer
from tests.providers.mail_making import CONTENT, copies, copy
from tests.providers.serving import against

FIRST, SECOND, THIRD = (one.handover_id for one in copies(3))
SUPPRESSED = {
    "message": "Message generation rejected",
    "description": "recipient address suppressed due to customer policy",
    "code": "1902",
}


def answer(status: int, told: Any = None, count: int = 3, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b"" if told is None else json.dumps(told).encode()
    return read_answer(status, named, body, copies(count))


def counted(accepted: object, rejected: object, *errors: Any, count: int = 3) -> Reply:
    results = {
        "total_accepted_recipients": accepted,
        "total_rejected_recipients": rejected,
        "rcpt_to_errors": list(errors),
        "id": "11668787484950529",
    }
    return answer(200, {"results": results}, count)


def invalid(address: str) -> dict[str, str]:
    return {"message": "invalid address", "description": f"'{address}' is invalid", "code": "1300"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ReplyKind.UNKNOWN),
        (400, ReplyKind.REFUSED),
        (401, ReplyKind.ACCOUNT_STOPPED),
        (403, ReplyKind.ACCOUNT_STOPPED),
        (404, ReplyKind.TRY_LATER),
        (413, ReplyKind.REFUSED),
        (415, ReplyKind.REFUSED),
        (420, ReplyKind.TRY_LATER),
        (422, ReplyKind.REFUSED),
        (429, ReplyKind.TRY_LATER),
        (500, ReplyKind.UNKNOWN),
        (502, ReplyKind.UNKNOWN),
        (503, ReplyKind.TRY_LATER),
    ],
)
def test_an_answer_without_words_is_read_by_its_status(status: int, kind: ReplyKind) -> None:
    assert answer(status).kind is kind
    assert read_answer(status, {}, b"[" * 100_000, copies(3)).kind is kind
    assert answer(status).refused == {}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "1502", ReplyKind.TRY_LATER),
        (503, "1900", ReplyKind.TRY_LATER),
        (420, "2102", ReplyKind.TRY_LATER),
        (401, "1303", ReplyKind.ACCOUNT_STOPPED),
        (422, "1300", ReplyKind.REFUSED),
    ],
)
def test_a_code_says_more_than_its_status(status: int, code: str, kind: ReplyKind) -> None:
    assert answer(status, {"errors": [{"message": "x", "code": code}]}).kind is kind


def test_of_a_call_that_was_taken_whole_everybody_has_its_id() -> None:
    reply = counted(3, 0)
    assert reply.kind is ReplyKind.TAKEN
    assert set(reply.message_ids) == {FIRST, SECOND, THIRD}
    assert set(reply.message_ids.values()) == {"11668787484950529"}


def test_the_one_that_is_named_is_refused_and_the_others_are_taken() -> None:
    reply = counted(2, 1, invalid("user1@example.com"))
    assert reply.kind is ReplyKind.TAKEN
    assert list(reply.message_ids) == [FIRST, THIRD]
    assert reply.refused[SECOND].reason == "address_syntax"


@pytest.mark.parametrize(
    ("accepted", "rejected", "errors"),
    [
        (2, 1, []),
        (1, 2, [invalid("user1@example.com")]),
        (2, 1, [invalid("user1@example.com or user2@example.com")]),
        (2, 0, []),
        ("3", "0", []),
        (None, None, []),
    ],
)
def test_where_not_all_refused_ones_are_named_nobody_s_outcome_is_known(
    accepted: object, rejected: object, errors: list[Any]
) -> None:
    reply = counted(accepted, rejected, *errors)
    assert (reply.kind, reply.message_ids, reply.refused) == (ReplyKind.UNKNOWN, {}, {})


def test_a_call_of_which_nobody_was_taken_is_refused() -> None:
    assert counted(0, 3).kind is ReplyKind.REFUSED
    assert counted(0, 3).refused == {}
    alone = counted(0, 1, invalid("user0@example.com"), count=1)
    assert alone.refused[FIRST].reason == "address_syntax"


def test_a_suppressed_recipient_is_told_apart() -> None:
    (refusal,) = answer(400, {"errors": [SUPPRESSED]}, count=1).refused.values()
    assert refusal.reason == "suppressed_by_provider"
    assert refusal.text == (
        "1902: Message generation rejected: recipient address suppressed due to customer policy"
    )
    assert answer(400, {"errors": [SUPPRESSED]}).refused == {}


def test_what_is_wrong_with_the_mail_refuses_everybody_at_once_and_blames_nobody() -> None:
    error = {
        "message": "Invalid domain",
        "description": "Unconfigured or unverified sending domain.",
        "code": "7001",
    }
    reply = answer(400, {"errors": [error]})
    assert set(reply.refused) == {FIRST, SECOND, THIRD}
    assert {refusal.reason for refusal in reply.refused.values()} == {"provider_refused"}


def test_the_wait_is_told_or_the_vendor_s_longest() -> None:
    assert answer(429, retry_after="7").retry_after_s == 7
    assert answer(429).retry_after_s == 5
    assert answer(420).retry_after_s is None


def test_a_call_shows_its_key_to_the_provider_alone() -> None:
    async def take(request: web.Request) -> web.Response:
        told = await request.json()
        assert request.path == "/api/v1/transmissions"
        assert request.headers["Authorization"] == "secret"
        assert told["recipients"][0]["address"] == {"email": "user0@example.com"}
        results = {"total_accepted_recipients": 1, "total_rejected_recipients": 0, "id": "1"}
        return web.json_response({"results": results})

    def account(endpoint: str) -> Account:
        return Account(1, "sp", "sparkpost", False, {"api_key": "secret", "endpoint": endpoint})

    carrier = SparkPostCarrier()
    calls = carrier.compose(account(""), CONTENT, [copy(0)])
    (reply,) = asyncio.run(against(take, carrier, account, calls))
    assert (reply.kind, reply.message_ids) == (ReplyKind.TAKEN, {FIRST: "1"})
