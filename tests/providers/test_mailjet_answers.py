"""What Mailjet's answers mean, message by message, and its calls over real sockets."""

import asyncio
import json
from base64 import b64decode
from typing import Any

import pytest
from aiohttp import web

from postroom.providers.base import Account, Reply, ReplyKind
from postroom.providers.mailjet import MailjetCarrier
from postroom.providers.mailjet.answers import read_answer
from tests.providers.mail_making import CONTENT, copies, copy
from tests.providers.serving import against

FIRST, SECOND, THIRD = (one.handover_id for one in copies(3))


def answer(status: int, body: bytes = b"", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(status, named, body, copies(3))


def told(*messages: Any, status: int = 200) -> Reply:
    return answer(status, json.dumps({"Messages": messages}).encode())


def success(number: int) -> dict[str, Any]:
    to = {"Email": f"user{number}@example.com", "MessageID": 1152921500000000000 + number}
    return {"Status": "success", "CustomID": str(copy(number).handover_id), "To": [to]}


def error(status: int, related: str = "To[0].Email") -> dict[str, Any]:
    entry = {
        "ErrorCode": "mj-0013",
        "StatusCode": status,
        "ErrorMessage": '"x" is an invalid email address.',
        "ErrorRelatedTo": [related],
    }
    return {"Status": "error", "Errors": [entry]}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ReplyKind.UNKNOWN),
        (400, ReplyKind.REFUSED),
        (401, ReplyKind.ACCOUNT_STOPPED),
        (403, ReplyKind.ACCOUNT_STOPPED),
        (404, ReplyKind.TRY_LATER),
        (413, ReplyKind.REFUSED),
        (429, ReplyKind.TRY_LATER),
        (500, ReplyKind.UNKNOWN),
        (503, ReplyKind.TRY_LATER),
    ],
)
def test_an_answer_without_messages_is_read_by_its_status(status: int, kind: ReplyKind) -> None:
    assert answer(status).kind is kind
    assert answer(status, b"[" * 100_000).kind is kind


def test_every_taken_message_has_an_id_of_its_own() -> None:
    reply = told(success(0), success(1), success(2))
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids[SECOND] == "1152921500000000001"
    assert len(set(reply.message_ids.values())) == 3


@pytest.mark.parametrize("status", [200, 400])
def test_of_a_partly_refused_call_each_copy_has_its_own_truth(status: int) -> None:
    reply = told(success(0), error(400), error(429), status=status)
    assert reply.kind is ReplyKind.TAKEN
    assert list(reply.message_ids) == [FIRST]
    assert reply.refused[SECOND].reason == "address_syntax"
    assert reply.later == {THIRD}


def test_a_refusal_of_the_sender_is_no_fault_of_the_address() -> None:
    (refusal,) = told(error(400, "From"), success(1), success(2)).refused.values()
    assert refusal.reason == "provider_refused"
    assert refusal.text == 'mj-0013: "x" is an invalid email address. (From)'


@pytest.mark.parametrize(
    "missing",
    [None, {}, {"Status": "error"}, {"Status": "error", "Errors": [7]}, error(500), success(7)],
)
def test_a_message_of_which_nothing_certain_is_said_has_an_unknown_outcome(missing: Any) -> None:
    reply = told(success(0), success(1), missing)
    assert reply.kind is ReplyKind.UNKNOWN
    assert THIRD not in {*reply.message_ids, *reply.refused, *reply.later}
    assert FIRST in reply.message_ids


def test_fewer_messages_than_copies_leave_the_others_unknown() -> None:
    assert told(success(0)).kind is ReplyKind.UNKNOWN


def test_the_wait_is_the_one_that_the_answer_tells() -> None:
    assert answer(429, retry_after="7").retry_after_s == 7
    assert answer(429).retry_after_s is None


def test_a_call_shows_both_keys_to_the_provider_alone() -> None:
    seen: list[str] = []

    async def take(request: web.Request) -> web.Response:
        told = await request.json()
        seen.append(b64decode(request.headers["Authorization"].partition(" ")[2]).decode())
        assert request.path == "/v3.1/send"
        assert told["Messages"][0]["To"] == [{"Email": "user0@example.com"}]
        return web.json_response({"Messages": [success(0)]})

    def account(endpoint: str) -> Account:
        settings = {"api_key": "public", "api_secret": "private", "endpoint": endpoint}
        return Account(1, "mj", "mailjet", False, settings)

    carrier = MailjetCarrier()
    calls = carrier.compose(account(""), CONTENT, [copy(0)])
    (reply,) = asyncio.run(against(take, carrier, account, calls))
    assert reply.kind is ReplyKind.TAKEN
    assert seen == ["public:private"]
