"""What the door takes, composition can write: nobody is told 202 for a mail that cannot be made."""

import base64
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from typing import Any
from uuid import UUID

from hypothesis import assume, example, given
from hypothesis import strategies as st

from postroom.domain.problem import Problem
from postroom.domain.submitted import content_of
from postroom.providers.base import Copy, assemble
from postroom.sending.mime import build
from postroom.submission.message_body import read_submission
from tests.submission.test_http_accept import BODY

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
ANN = Copy(UUID(int=1), "ann@sim.example", "Ann", {})
HIDDEN_LINE_END = "=?utf-8?q?=0D=0ABcc:_victim@sim.example?="

PIECES = st.sampled_from(
    ["a", "report", " ", "  ", "\t", '"', "\\", ";", "=", "*", "'", "%", "?", "=?", "?=", "(", "/",
     "=41", "%0A", "*0*=", "ü", "\u202e", "😀", "x" * 80, HIDDEN_LINE_END]
)  # fmt: skip
TEXT = st.lists(PIECES, max_size=6).map("".join)
NAMED = st.builds("{}={}".format, st.sampled_from(["name", "charset", "method", "a*0*"]), TEXT)
QUOTED = st.builds('{}="{}"'.format, st.sampled_from(["name", "charset", "boundary"]), TEXT)
CONTENT_TYPES = st.builds(
    lambda kind, parameters: "; ".join([kind, *parameters]),
    st.sampled_from(["text/plain", "text/calendar", "message/rfc822", "multipart/mixed", "a/{b}"]),
    st.lists(NAMED | QUOTED | st.just("method=REQUEST"), max_size=3),
)
ATTACHMENTS = st.fixed_dictionaries(
    {
        "filename": TEXT,
        "content_type": CONTENT_TYPES,
        "content": st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode()),
    },
    optional={"content_id": TEXT},
)
CHANGES = st.fixed_dictionaries(
    {"attachments": st.lists(ATTACHMENTS, max_size=3)},
    optional={
        "subject": TEXT,
        "from": st.fixed_dictionaries({"email": st.just("a@corp.example"), "name": TEXT}),
        "reply_to": TEXT.map("{} <a@corp.example>".format),
        "cc": TEXT.map('"{}" <a@corp.example>'.format),
        "headers": st.dictionaries(st.sampled_from(["X-A", "X-Note"]), TEXT),
        "html": TEXT,
    },
)
OURS = {
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "auto-submitted",
    "x-auto-response-suppress", "mime-version", "content-type", "content-transfer-encoding",
    "content-disposition", "content-id", "x-a", "x-note",
}  # fmt: skip


def attached(**fields: str) -> dict[str, Any]:
    """A change with one attachment."""
    return {
        "attachments": [
            {"filename": "a", "content_type": "text/plain", "content": "QQ==", **fields}
        ]
    }


@given(CHANGES)
@example(attached(filename=HIDDEN_LINE_END))
@example(attached(filename=f"a {HIDDEN_LINE_END}"))
@example(attached(filename="x" * 80 + " a  b"))
@example(attached(content_id=HIDDEN_LINE_END))
@example(attached(content_id="x" * 200))
@example(attached(content_type=f'text/plain; name="{HIDDEN_LINE_END}"'))
@example(attached(content_type=f"text/plain; name={HIDDEN_LINE_END}"))
@example(attached(content_type="text/plain; name*0*=utf-8''%0D%0ABcc; name*1=x"))
@example(attached(content_type="text/calendar; method=REQUEST; charset*=x''%"))
@example(attached(content_type="multipart/mixed; boundary=x"))
def test_what_the_door_takes_composition_can_write(changes: dict[str, Any]) -> None:
    content = accepted({**BODY, **changes})
    mail = build(content, NOW).mail([ANN])
    written = assemble(mail.copies[ANN.handover_id], mail.shared)
    assert max(map(len, written.split(b"\r\n"))) <= 998
    parts = list(message_from_bytes(written).walk())
    for part in parts:
        assert not part.defects
        assert {name.lower() for name in part.keys()} <= OURS  # noqa: SIM118 - a Message
    kept = {_named(part) for part in parts if "attachment" in str(part["Content-Disposition"])}
    assert kept <= {(one.filename.strip(), one.content) for one in content.attachments}


def accepted(body: dict[str, Any]) -> Any:
    """The content of a body that the door takes."""
    try:
        read_submission(body, b"")
    except Problem as problem:
        assume(problem.status != 422)
        raise
    return content_of(body)


def _named(part: Message) -> tuple[str, bytes]:
    """An attachment as somebody who gets the mail reads it."""
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return (part.get_filename() or "").strip(), content
