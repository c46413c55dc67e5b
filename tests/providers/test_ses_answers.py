"""What Amazon SES's answers mean: the vendor's errors, and those that a proxy in between makes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.reason import REASONS
from postroom.providers.base import Reply, ReplyKind
from postroom.providers.ses.answers import ERRORS, read_answer
from tests.providers.ses_making import HANDOVER, KIM

OPERATION_ERRORS = {
    "AccountSuspendedException",
    "BadRequestException",
    "LimitExceededException",
    "MailFromDomainNotVerifiedException",
    "MessageRejected",
    "NotFoundException",
    "SendingPausedException",
    "TooManyRequestsException",
}
"""API_SendEmail.html, "Errors"."""


def answered(status: int, name: str = "", text: str = "", body: bytes | None = None) -> Reply:
    headers = {"x-amzn-errortype": name} if name else {}
    said = json.dumps({"message": text}).encode() if body is None else body
    return read_answer(status, headers, said, KIM)


def test_every_error_of_the_operation_has_its_row() -> None:
    assert ERRORS.keys() >= OPERATION_ERRORS


def test_a_taken_mail_has_the_id_that_its_events_will_name() -> None:
    body = b'{"MessageId":"0100019ab3c07d10-4f1c2b3a-58e6-4d7c-9a0b-1c2d3e4f5a6b-000000"}'
    reply = answered(200, body=body)
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids[HANDOVER].startswith("0100019ab3c07d10-")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"MessageId":7}', b"{" * 100_000, b"\xff"])
def test_a_200_takes_the_mail_whatever_its_body_says(body: bytes) -> None:
    reply = answered(200, body=body)
    assert (reply.kind, reply.message_ids) == (ReplyKind.TAKEN, {})


@pytest.mark.parametrize(
    ("status", "name", "text", "kind", "wait_s"),
    [
        (429, "TooManyRequestsException", "Too many requests", ReplyKind.TRY_LATER, None),
        (
            429,
            "TooManyRequestsException",
            "Maximum sending rate exceeded.",
            ReplyKind.TRY_LATER,
            1.0,
        ),
        (
            400,
            "LimitExceededException",
            "Daily message quota exceeded.",
            ReplyKind.TRY_LATER,
            600.0,
        ),
        (400, "Throttling", "Maximum sending rate exceeded.", ReplyKind.TRY_LATER, 1.0),
        (503, "ServiceUnavailable", "", ReplyKind.TRY_LATER, None),
        (400, "SendingPausedException", "Sending is paused", ReplyKind.ACCOUNT_STOPPED, None),
        (400, "AccountSuspendedException", "", ReplyKind.ACCOUNT_STOPPED, None),
        (
            404,
            "NotFoundException",
            "Configuration set <x> does not exist.",
            ReplyKind.ACCOUNT_STOPPED,
            None,
        ),
        (403, "AccessDeniedException", "not authorized", ReplyKind.ACCOUNT_STOPPED, None),
        (
            403,
            "InvalidSignatureException",
            "The request signature we calculated does not match",
            ReplyKind.ACCOUNT_STOPPED,
            None,
        ),
        (
            403,
            "InvalidSignatureException",
            "Signature expired: 20261124T080000Z is now earlier than",
            ReplyKind.TRY_LATER,
            None,
        ),
        (400, "MessageRejected", "Email address is not verified.", ReplyKind.REFUSED, None),
        (400, "MailFromDomainNotVerifiedException", "", ReplyKind.REFUSED, None),
        (400, "BadRequestException", "Missing final '@domain'", ReplyKind.REFUSED, None),
        (500, "InternalFailure", "", ReplyKind.UNKNOWN, None),
        (502, "", "", ReplyKind.UNKNOWN, None),
        (503, "", "", ReplyKind.TRY_LATER, None),
        (401, "", "", ReplyKind.ACCOUNT_STOPPED, None),
        (413, "", "", ReplyKind.REFUSED, None),
        (404, "", "", ReplyKind.TRY_LATER, None),
        (302, "", "", ReplyKind.TRY_LATER, None),
        (400, "SomethingNew", "", ReplyKind.TRY_LATER, None),
    ],
)
def test_each_error_has_its_kind(
    status: int, name: str, text: str, kind: ReplyKind, wait_s: float | None
) -> None:
    reply = answered(status, name, text)
    assert (reply.kind, reply.retry_after_s) == (kind, wait_s)


@pytest.mark.parametrize(
    ("status", "name", "text", "reason"),
    [
        (400, "BadRequestException", "Missing final '@domain'", "address_syntax"),
        (400, "MessageRejected", "Email address is not verified.", "provider_refused"),
        (413, "", "", "message_too_large"),
    ],
)
def test_a_refusal_says_why_in_the_vendors_words(
    status: int, name: str, text: str, reason: str
) -> None:
    refusal = answered(status, name, text).refused[HANDOVER]
    assert refusal.reason == reason
    assert text in refusal.text


def test_the_errors_name_is_found_in_the_body_and_without_its_namespace() -> None:
    body = b'{"__type":"com.amazon.coral.service#ThrottlingException","message":"Rate exceeded"}'
    assert answered(400, body=body).kind is ReplyKind.TRY_LATER
    assert answered(400, "SendingPausedException:http://internal/").kind is (
        ReplyKind.ACCOUNT_STOPPED
    )


@given(st.integers(100, 599), st.text(max_size=30), st.binary(max_size=60))
def test_no_answer_is_a_surprise(status: int, name: str, body: bytes) -> None:
    reply = answered(status, name, body=body)
    assert all(refusal.reason in REASONS for refusal in reply.refused.values())
    assert (reply.kind is ReplyKind.TAKEN) == (200 <= status < 300)
