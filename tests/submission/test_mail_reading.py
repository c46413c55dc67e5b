"""Reading mails, commands and bodies as plain functions: whatever comes, the answer is ours."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.problem import Problem
from postroom.ledger.keys import Caller
from postroom.submission.json_body import canonical_digest, read_json
from postroom.submission.mail import read_mail
from postroom.submission.mail_headers import read_headers, senders
from postroom.submission.message_body import read_submission
from postroom.submission.smtp_path import Refused, check_reverse_path, parse_path, reply_for

CALLER = Caller(1, "field", None, "test", frozenset({"send"}), (), (), True, False)

HEADER_LINES = st.lists(
    st.tuples(
        st.sampled_from([b"From", b"Sender", b"Subject", b"Message-ID", b"X-Postroom-Lane", b" "]),
        st.binary(max_size=40),
    ).map(lambda field: field[0] + b":" + field[1] + b"\r\n"),
    max_size=6,
).map(b"".join)


@given(HEADER_LINES, st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_with_a_reply(block: bytes, body: bytes) -> None:
    reply = refusal_of_mail(block + b"\r\n" + body)
    assert reply is None or (reply.startswith("55") and reply.isascii())


def refusal_of_mail(data: bytes) -> str | None:
    """The reply that refuses a mail; None when it is read, with a subject that can be stored."""
    try:
        submission = read_mail(data, "", ["ann@sim.example"], CALLER)
    except Problem as problem:
        return reply_for(problem)
    assert not {"\x00", "\r", "\n"} & set(submission.subject)
    submission.subject.encode()
    return None


@given(st.text(max_size=60))
def test_any_argument_of_a_command_is_read_or_refused(argument: str) -> None:
    reply = refusal_of_command(argument)
    assert reply is None or reply[0] == reply[4] == "5"


def refusal_of_command(argument: str) -> str | None:
    try:
        path = parse_path("FROM:", f"FROM:{argument}")
        check_reverse_path(path, 1000)
    except Refused as refused:
        return refused.reply
    assert path.address in argument
    return None


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        ("FROM:<a@b.example>", "a@b.example"),
        ("from: <a@b.example> SIZE=10", "a@b.example"),
        ("FROM:a@b.example", "a@b.example"),
        ('FROM:<"a b"@c.example>', '"a b"@c.example'),
        ("FROM:<>", ""),
    ],
)
def test_the_reverse_path_is_kept_as_written(argument: str, address: str) -> None:
    assert parse_path("FROM:", argument).address == address


@pytest.mark.parametrize(
    ("field", "specs"),
    [
        (b"From: a@b.example", ["a@b.example"]),
        (b"From: =?utf-8?q?J=C3=B6rg?=\r\n <j@b.example>", ["j@b.example"]),
        (b'From: "Last, First" <a@b.example>', ["a@b.example"]),
        (b"From: a@b.example (Comment, with comma)", ["a@b.example"]),
        (
            b"From: A <a@b.example>, c@d.example\r\nSender: s@b.example",
            ["a@b.example", "c@d.example", "s@b.example"],
        ),
    ],
)
def test_senders_are_every_mailbox_of_from_and_sender(field: bytes, specs: list[str]) -> None:
    assert [address.spec for address in senders(read_headers(field))] == specs


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = [
    "from",
    "to",
    "subject",
    "text",
    "cc",
    "headers",
    "attachments",
    "track",
    "send_at",
    "tags",
]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_json_is_a_submission_or_a_422(body: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        read_submission({"to": [1], **body}, b"")
    assert caught.value.status == 422
    assert caught.value.errors


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    assert refusal_of_json(raw) in (None, 400, 422)


def refusal_of_json(raw: bytes) -> int | None:
    try:
        read_json(raw)
    except Problem as problem:
        return problem.status
    return None


@given(JSON)
def test_layout_makes_no_difference_to_the_digest(value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    assert canonical_digest(value) == canonical_digest(json.loads(text))
