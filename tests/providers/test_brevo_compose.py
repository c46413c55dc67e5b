"""A mail as Brevo's JSON: a version of its own for each copy."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from postroom.domain.content import Attachment, Mailbox
from postroom.providers.base import CannotCarry
from postroom.providers.brevo.smtp_road import brevo_header
from tests.providers.json_vendors import BREVO, RAW, payload
from tests.providers.mail_making import CONTENT, LOGO, PDF, PLAIN, copies, copy, headers

compose = BREVO.compose


def test_only_the_opaque_id_stands_in_the_header_that_the_recipient_sees() -> None:
    (call,) = compose(CONTENT, copy(1, "secret@example.com", "Secret"))
    (version,) = payload(call)["messageVersions"]
    assert "secret" not in json.dumps(version["headers"]).lower()


def test_the_idempotency_key_is_the_same_for_the_same_hand_overs_alone() -> None:
    first, again, other = (
        payload(compose(PLAIN, *to)[0])["headers"]["idempotencyKey"]
        for to in (copies(3), copies(3), copies(2))
    )
    assert first == again != other
    assert UUID(first).version == 4


def test_what_all_have_in_common_is_said_once() -> None:
    content = replace(
        PLAIN,
        reply_to=(Mailbox("a@example.com", "Jo"),),
        attachments=(PDF,),
        **headers(X_Case="4711"),
    )
    told = payload(compose(content, copy(1, "jo@example.com", "Jo, Å"))[0])
    assert told["messageVersions"][0]["to"] == [{"email": "jo@example.com", "name": "Jo, Å"}]
    assert told["sender"] == {"email": "news@example.com"}
    assert told["replyTo"] == {"email": "a@example.com", "name": "Jo"}
    assert told["headers"]["X-Case"] == "4711"
    assert told["messageVersions"][0]["headers"]["Auto-Submitted"] == "auto-generated"
    assert [each["name"] for each in told["attachment"]] == ["bill.pdf"]
    assert (told["subject"], told["textContent"]) == ("Hello", "Dear all")
    assert "htmlContent" not in told


@pytest.mark.parametrize(
    "changes",
    [
        {"attachments": (LOGO,), "html": "<img src='cid:logo.png'>"},
        {"attachments": (replace(PDF, content_type="application/octet-stream"),)},
        {"attachments": (Attachment("run.exe", "application/x-msdownload", b"MZ"),)},
        {"text": r"Dear \{{ params.name }}"},
        {"text": "Dear {% if x %}"},
        headers(X_Mailin_Tag="x"),
        headers(X_Sib_Sandbox="drop"),
        headers(idempotencyKey="x"),
    ],
)
def test_what_the_json_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


@pytest.mark.parametrize("value", ["{{ contact.EMAIL }}", "{% now %}", "{"])
def test_a_value_that_brevo_could_fill_in_is_not_carried(value: str) -> None:
    with pytest.raises(CannotCarry):
        compose(CONTENT, copy(1, name=value))


def test_the_smtp_header_carries_the_id_and_nothing_else() -> None:
    handover = copy(1).handover_id
    line = brevo_header(BREVO.account, handover, RAW)
    assert line == f"X-Mailin-custom: postroom_handover:{handover}\r\n".encode()
