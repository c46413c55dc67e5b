"""Header injection: nothing that ends a line gets from a field of the call into a header."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.problem import Problem
from postroom.domain.submitted import content_of
from postroom.submission.message_body import read_submission
from tests.submission.conftest import Submit
from tests.submission.door import message_count
from tests.submission.test_http_accept import BODY
from tests.submission.test_http_refusals import refused

LINE_ENDS = ["\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
ATTACHMENT = {"filename": "a", "content_type": "text/plain", "content": "QQ=="}


def with_injected(place: str, text: str) -> dict[str, Any]:
    """A body with `text` in one of the fields that become header lines."""
    return {
        "subject": {**BODY, "subject": text},
        "from": {**BODY, "from": f"{text} <a@corp.example>"},
        "from.email": {**BODY, "from": {"email": f"a{text}@corp.example"}},
        "from.name": {**BODY, "from": {"email": "a@corp.example", "name": text}},
        "to.name": {**BODY, "to": [{"email": "a@sim.example", "name": text}]},
        "reply_to": {**BODY, "reply_to": f"{text} <a@corp.example>"},
        "cc": {**BODY, "cc": [{"email": "a@corp.example", "name": text}]},
        "display_to": {**BODY, "display_to": f"{text} <a@corp.example>"},
        "header name": {**BODY, "headers": {text: "x"}},
        "header value": {**BODY, "headers": {"X-A": text}},
        "filename": {**BODY, "attachments": [{**ATTACHMENT, "filename": text}]},
        "content_type": {**BODY, "attachments": [{**ATTACHMENT, "content_type": text}]},
        "content_id": {**BODY, "attachments": [{**ATTACHMENT, "content_id": text}]},
        "tags": {**BODY, "tags": [text]},
    }[place]


PLACES = [
    "subject", "from", "from.email", "from.name", "to.name", "reply_to", "cc", "display_to",
    "header name", "header value", "filename", "content_type", "content_id", "tags",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_line_end_in_a_field_that_becomes_a_header_is_422(submit: Submit, place: str) -> None:
    for line_end in LINE_ENDS:
        refused(submit(with_injected(place, f"x{line_end}Bcc: victim@sim.example")), 422)
    assert message_count() == 0


CONTENT_TYPES = [
    "text/plain;{}name=a",
    "text/plain{}; name=a",
    'text/plain; name="a{}b"',
    'text/plain; name="a\\{}"',
    "text/plain{}",
    "{}text/plain",
    "text{}/plain",
    "text/plain; name={}a",
    "text/plain; na{}me=a",
]


@pytest.mark.parametrize("written", CONTENT_TYPES)
def test_a_line_end_anywhere_in_a_content_type_is_422_and_names_the_field(
    submit: Submit, written: str
) -> None:
    for line_end in LINE_ENDS:
        body = with_injected("content_type", written.format(line_end))
        problem = refused(submit(body), 422)
        assert [error["field"] for error in problem["errors"]] == ["attachments[0].content_type"]
    assert message_count() == 0


@pytest.mark.parametrize("place", ["filename", "content_type", "content_id"])
def test_a_line_end_in_an_attachments_fields_is_422_and_names_the_field(place: str) -> None:
    for line_end in LINE_ENDS:
        with pytest.raises(Problem) as caught:
            read_submission(with_injected(place, f"x{line_end}y"), b"")
        assert [error.field for error in caught.value.errors] == [f"attachments[0].{place}"]


@given(
    st.sampled_from(PLACES), st.text(max_size=20), st.sampled_from(LINE_ENDS), st.text(max_size=20)
)
def test_no_text_around_a_line_end_makes_it_pass(
    place: str, before: str, line_end: str, after: str
) -> None:
    # A line end at the edge of an address is space around it, which is let go for tabs and
    # spaces only; so one inside suffices.
    with pytest.raises(Problem) as caught:
        read_submission(with_injected(place, f"x{before}{line_end}{after}x"), b"")
    assert caught.value.status == 422


@pytest.mark.parametrize(
    "name",
    [
        "From",
        "to",
        "BCC",
        "Content-Type",
        "X-Postroom-Lane",
        "Subject",
        "DKIM-Signature",
        "Resent-To",
    ],
)
def test_headers_that_have_fields_of_their_own_are_not_taken_from_headers(
    submit: Submit, name: str
) -> None:
    refused(submit({**BODY, "headers": {name: "x"}}), 422, name)


NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=30).map("X-Own-".__add__)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=60)


@given(NAMES, VALUES.filter(str.strip))
def test_every_other_header_is_kept_as_it_is(name: str, value: str) -> None:
    body = {**BODY, "headers": {name: value}}
    read_submission(body, b"")
    assert content_of(body).headers == ((name, value),)
