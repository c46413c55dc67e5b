"""What SendGrid's answers mean: taken, one of three kinds of error, or the account is stopped."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.reason import REASONS
from postroom.providers.base import Copy, Reply, ReplyKind
from postroom.providers.sendgrid.answers import read_answer

COPIES = [Copy(UUID(int=n), f"user{n}@example.com") for n in range(3)]
NOW_S = 1_763_971_200.0


def answered(status: int, *fields: str | None, **headers: str) -> Reply:
    body = json.dumps({"errors": [{"message": "no good", "field": field} for field in fields]})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(status, named, body.encode(), COPIES, NOW_S)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ReplyKind.TAKEN),
        (202, ReplyKind.TAKEN),
        (301, ReplyKind.TRY_LATER),
        (400, ReplyKind.REFUSED),
        (401, ReplyKind.ACCOUNT_STOPPED),
        (403, ReplyKind.ACCOUNT_STOPPED),
        (404, ReplyKind.TRY_LATER),
        (408, ReplyKind.TRY_LATER),
        (413, ReplyKind.REFUSED),
        (429, ReplyKind.TRY_LATER),
        (500, ReplyKind.UNKNOWN),
        (502, ReplyKind.UNKNOWN),
        (503, ReplyKind.TRY_LATER),
        (504, ReplyKind.UNKNOWN),
    ],
)
def test_each_status_has_one_meaning(status: int, kind: ReplyKind) -> None:
    assert answered(status).kind is kind


def test_the_message_id_belongs_to_every_copy_of_the_call() -> None:
    reply = answered(202, x_message_id="a1b2")
    assert reply.message_ids == {one.handover_id: "a1b2" for one in COPIES}


def test_a_named_recipient_is_refused_alone_and_the_others_go_again_at_once() -> None:
    reply = answered(400, "personalizations.1.to.0.email")
    assert list(reply.refused) == [COPIES[1].handover_id]
    assert reply.refused[COPIES[1].handover_id].reason == "address_syntax"
    assert (reply.kind, reply.retry_after_s) == (ReplyKind.TRY_LATER, 0.0)


def test_a_fault_of_a_recipient_s_other_fields_is_no_fault_of_the_address() -> None:
    reply = answered(400, "personalizations.2.substitutions")
    assert reply.refused[COPIES[2].handover_id].reason == "provider_refused"


def test_a_fault_of_a_display_name_is_no_fault_of_the_address() -> None:
    reply = answered(400, "personalizations.2.to.0.name")
    assert reply.refused[COPIES[2].handover_id].reason == "provider_refused"


def test_a_fault_that_names_nobody_refuses_the_whole_call() -> None:
    for fields in ((), (None,), ("content",), ("personalizations",), ("personalizations.9.to",)):
        reply = answered(400, *fields)
        assert (reply.kind, reply.refused) == (ReplyKind.REFUSED, {})


def test_a_fault_of_all_beside_a_named_recipient_refuses_the_rest_too() -> None:
    reply = answered(400, "personalizations.0.to.0.email", "subject")
    assert reply.kind is ReplyKind.REFUSED
    assert list(reply.refused) == [COPIES[0].handover_id]


def test_an_unverified_sender_is_the_fault_of_the_mail_and_not_of_the_account() -> None:
    assert answered(403, "from").kind is ReplyKind.REFUSED
    assert answered(403, "from.email").kind is ReplyKind.REFUSED
    assert answered(403, None).kind is ReplyKind.ACCOUNT_STOPPED


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"x_ratelimit_reset": str(int(NOW_S) + 30)}, 30.0),
        ({"x_ratelimit_reset": str(int(NOW_S) - 30)}, 1.0),
        ({"x_ratelimit_reset": "soon"}, None),
        ({"retry_after": "7", "x_ratelimit_reset": "1"}, 7.0),
        ({"retry_after": "Tue, 24 Nov 2026 08:00:00 GMT"}, None),
    ],
)
def test_the_wait_is_what_the_vendor_s_headers_say(
    headers: dict[str, str], wait_s: float | None
) -> None:
    assert answered(429, **headers).retry_after_s == wait_s


def test_the_last_call_of_a_limit_lets_the_account_rest_until_there_are_more() -> None:
    reset = str(int(NOW_S) + 30)
    last = answered(202, x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    assert (last.kind, last.retry_after_s, last.rest_s) == (ReplyKind.TAKEN, None, 30.0)
    assert answered(202, x_ratelimit_remaining="1", x_ratelimit_reset=reset).rest_s is None
    assert answered(202, x_ratelimit_remaining="0").rest_s is None


shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["errors", "field", "message"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.integers(100, 999), shapes)
def test_any_answer_has_a_meaning(status: int, shape: Any) -> None:
    reply = read_answer(status, {}, json.dumps(shape).encode(), COPIES, NOW_S)
    assert all(refusal.reason in REASONS for refusal in reply.refused.values())


@given(st.integers(100, 999), st.binary(max_size=60))
def test_a_body_that_is_no_json_changes_nothing(status: int, body: bytes) -> None:
    assert read_answer(status, {}, body, COPIES, NOW_S).refused == {}
