"""What Postmark's answers mean, message by message, and its calls over real sockets."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from postroom.providers.base import Account, Reply, ReplyKind
from postroom.providers.postmark import PostmarkCarrier
from postroom.providers.postmark.answers import read_answer
from tests.providers.mail_making import CONTENT, copies, copy
from tests.providers.serving import against

FIRST, SECOND, THIRD = (one.handover_id for one in copies(3))
INACTIVE = (
    "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses:"
    " jo@example.com. Inactive recipients are ones that have generated a hard bounce, a spam"
    " complaint, or a manual suppression."
)


def answer(status: int, body: bytes = b"") -> Reply:
    return read_answer(status, {}, body, copies(3))


def told(*results: Any) -> Reply:
    return answer(200, json.dumps(results).encode())


def taken(number: int, message: str = "OK") -> dict[str, Any]:
    return {
        "To": f"user{number}@example.com",
        "SubmittedAt": "2026-11-20T10:21:12.1234567-05:00",
        "MessageID": f"b7bc2f4a-e38e-4336-af7d-e6c392c2f81{number}",
        "ErrorCode": 0,
        "Message": message,
    }


def error(code: int, message: str = "x") -> dict[str, Any]:
    return {"ErrorCode": code, "Message": message}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ReplyKind.UNKNOWN),
        (201, ReplyKind.UNKNOWN),
        (401, ReplyKind.ACCOUNT_STOPPED),
        (403, ReplyKind.ACCOUNT_STOPPED),
        (404, ReplyKind.TRY_LATER),
        (413, ReplyKind.REFUSED),
        (415, ReplyKind.REFUSED),
        (422, ReplyKind.REFUSED),
        (429, ReplyKind.TRY_LATER),
        (500, ReplyKind.UNKNOWN),
        (503, ReplyKind.TRY_LATER),
    ],
)
def test_an_answer_without_results_is_read_by_its_status(status: int, kind: ReplyKind) -> None:
    assert answer(status).kind is kind
    assert answer(status, b"[" * 100_000).kind is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10, ReplyKind.ACCOUNT_STOPPED),
        (100, ReplyKind.TRY_LATER),
        (402, ReplyKind.REFUSED),
        (405, ReplyKind.ACCOUNT_STOPPED),
        (410, ReplyKind.REFUSED),
        (413, ReplyKind.ACCOUNT_STOPPED),
        (0, ReplyKind.REFUSED),
        (9_999, ReplyKind.REFUSED),
    ],
)
def test_an_error_of_the_whole_call_is_read_by_its_code(code: int, kind: ReplyKind) -> None:
    reply = answer(422, json.dumps(error(code)).encode())
    assert (reply.kind, reply.refused) == (kind, {})


def test_every_taken_message_has_an_id_of_its_own() -> None:
    reply = told(taken(0), taken(1), taken(2))
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids[SECOND] == "b7bc2f4a-e38e-4336-af7d-e6c392c2f811"
    assert len(set(reply.message_ids.values())) == 3


def test_of_a_partly_refused_call_each_copy_has_its_own_truth() -> None:
    reply = told(taken(0), error(406, INACTIVE), error(429))
    assert reply.kind is ReplyKind.TAKEN
    assert list(reply.message_ids) == [FIRST]
    assert reply.refused[SECOND].reason == "suppressed_by_provider"
    assert reply.refused[SECOND].text == f"406: {INACTIVE}"
    assert reply.later == {THIRD}


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (300, "Invalid 'To' address: 'x'.", "address_syntax"),
        (300, "Illegal email address 'x'. It must contain the '@' symbol.", "address_syntax"),
        (300, "Invalid 'From' address: 'x'.", "provider_refused"),
        (300, "Metadata field 'x' is too long.", "provider_refused"),
        (400, "The 'From' address is not a Sender Signature.", "provider_refused"),
        (411, "Forbidden attachment type.", "provider_refused"),
        (9_999, "Something new.", "provider_refused"),
    ],
)
def test_a_refusal_blames_the_address_only_when_it_names_it(
    code: int, message: str, reason: str
) -> None:
    reply = told(taken(0), error(code, message), taken(2))
    assert reply.refused[SECOND].reason == reason
    assert reply.kind is ReplyKind.TAKEN


def test_a_result_without_an_error_may_still_send_nothing() -> None:
    kept = taken(1, "Message OK, but will not deliver to these inactive addresses: x@example.com")
    reply = told(taken(0), kept, taken(2))
    assert reply.refused[SECOND].reason == "suppressed_by_provider"
    assert SECOND not in reply.message_ids


@pytest.mark.parametrize("code", [405, 412, 413, 1235])
def test_what_stops_the_account_leaves_its_mails_to_be_tried_again(code: int) -> None:
    reply = told(taken(0), error(code), error(code))
    assert reply.kind is ReplyKind.ACCOUNT_STOPPED
    assert list(reply.message_ids) == [FIRST]
    assert reply.later == {SECOND, THIRD}
    assert reply.refused == {}


@pytest.mark.parametrize(
    "missing", [None, 7, {}, {"ErrorCode": "0"}, {"ErrorCode": True}, {"ErrorCode": 0}]
)
def test_a_message_of_which_nothing_certain_is_said_has_an_unknown_outcome(missing: Any) -> None:
    reply = told(taken(0), taken(1), missing)
    assert reply.kind is ReplyKind.UNKNOWN
    assert THIRD not in {*reply.message_ids, *reply.refused, *reply.later}
    assert FIRST in reply.message_ids


def test_fewer_results_than_copies_leave_the_others_unknown() -> None:
    assert told(taken(0)).kind is ReplyKind.UNKNOWN


def test_a_call_shows_its_token_to_the_provider_alone() -> None:
    async def take(request: web.Request) -> web.Response:
        told = await request.json()
        assert request.path == "/email/batch"
        assert request.headers["X-Postmark-Server-Token"] == "secret"
        assert told[0]["To"] == "user0@example.com"
        return web.json_response([taken(0)])

    def account(endpoint: str) -> Account:
        return Account(1, "pm", "postmark", False, {"server_token": "secret", "endpoint": endpoint})

    carrier = PostmarkCarrier()
    calls = carrier.compose(account(""), CONTENT, [copy(0)])
    (reply,) = asyncio.run(against(take, carrier, account, calls))
    assert reply.kind is ReplyKind.TAKEN
    assert list(reply.message_ids) == [FIRST]
