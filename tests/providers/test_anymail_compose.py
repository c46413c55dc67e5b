"""What Anymail is told of a mail, and what each of its providers would not send as it is."""

import html
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Content, Mailbox
from postroom.domain.template import MissingField, parse
from postroom.providers.anymail.carrier import AnymailCarrier
from postroom.providers.anymail.esps import ESPS
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail
from postroom.providers.registry import PROVIDERS
from tests.providers.mail_making import CONTENT, INVITE, LOGO, PDF, PLAIN, copies, copy, headers

RAW = RawMail("a@example.com", {copy(1).handover_id: (b"Subject: x\r\n\r\nx\r\n",)}, {})


def compose(content: Content, *to: Copy, provider: str = "mailtrap") -> list[Call]:
    account = Account(1, "x", provider, False, {})
    return AnymailCarrier(provider).compose(account, content, to)


def told(call: Call) -> dict[str, Any]:
    found = json.loads(call.body())
    assert isinstance(found, dict)
    return found


values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=3))
def test_a_mail_with_fields_goes_one_copy_a_call_filled_in(pairs: list[tuple[str, str]]) -> None:
    to = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    for one, call in zip(to, compose(CONTENT, *to), strict=True):
        (own,) = told(call)["copies"]
        assert (own["to"], own["handover"]) == (one.recipient, str(one.handover_id))
        assert own["text"] == parse(CONTENT.text or "").render(one.vars)
        assert own["html"] == parse(CONTENT.html or "").render(one.vars, html.escape)


@pytest.mark.parametrize("provider", ESPS)
def test_a_mail_without_fields_goes_in_batches_as_large_as_the_provider_takes(
    provider: str,
) -> None:
    most = ESPS[provider].copies
    calls = compose(PLAIN, *copies(most + 1), provider=provider)
    assert [len(call.copies) for call in calls] == [most, 1]
    assert AnymailCarrier(provider).capabilities.batch_size == most


def test_every_copy_s_slice_is_its_own() -> None:
    (call,) = compose(PLAIN, *copies(3))
    body = call.body()
    slices = [json.loads(body[at : at + size]) for at, size in call.slices]
    assert slices == told(call)["copies"]


def test_braces_that_are_no_fields_stay() -> None:
    (call,) = compose(replace(PLAIN, text=r"a \{{ b"), copy(1))
    assert told(call)["mail"]["text"] == "a {{ b"


@pytest.mark.parametrize("provider", sorted(set(ESPS) - {"mailersend"}))
def test_mail_is_marked_as_automatic(provider: str) -> None:
    (call,) = compose(PLAIN, copy(1), provider=provider)
    assert told(call)["mail"]["headers"]["Auto-Submitted"] == "auto-generated"


def test_mailersend_gets_only_the_header_fields_that_the_application_asked_for() -> None:
    (call,) = compose(PLAIN, copy(1), provider="mailersend")
    assert told(call)["mail"]["headers"] == {}
    assert "left out the headers of automatic mail" in call.changes
    (asked,) = compose(replace(PLAIN, **headers(X_Case="1")), copy(1), provider="mailersend")
    assert told(asked)["mail"]["headers"] == {"X-Case": "1"}


def test_a_missing_value_is_named() -> None:
    with pytest.raises(MissingField, match="name"):
        compose(CONTENT, replace(copy(1), vars={"code": "x"}))


TWO: dict[str, Any] = {"reply_to": (Mailbox("a@example.com"), Mailbox("b@example.com"))}
INLINE: dict[str, Any] = {"attachments": (LOGO,), "html": "<img src='cid:logo.png'>"}


@pytest.mark.parametrize("provider", ESPS)
@pytest.mark.parametrize(
    "changes",
    [
        {"cc": (Mailbox("c@example.com"),)},
        {"display_to": (Mailbox("c@example.com"),)},
        {"message_id": "<own@example.com>"},
        {"text": None},
        {"attachments": (INVITE,)},
        {"attachments": (replace(PDF, content=bytes(16_000_000)),)},
        headers(X_Postal_Tag="x"),
    ],
)
def test_what_no_road_of_anymail_can_say_is_not_carried(
    provider: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1), provider=provider)


@pytest.mark.parametrize(
    ("provider", "changes", "why"),
    [
        ("postal", TWO, "multiple reply_to"),
        ("mailersend", TWO, "multiple reply_to"),
        ("unisender_go", TWO, "multiple reply_to"),
        ("postal", INLINE, "inline"),
        ("scaleway", INLINE, "inline"),
    ],
)
def test_what_anymail_cannot_say_to_a_provider_is_known_before_anything_is_sent(
    provider: str, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(CannotCarry, match=why):
        compose(replace(PLAIN, **changes), copy(1), provider=provider)


@pytest.mark.parametrize("provider", ["mailtrap", "mandrill", "mailersend"])
def test_inline_images_are_carried_where_the_provider_has_them(provider: str) -> None:
    assert compose(replace(PLAIN, **INLINE), copy(1), provider=provider)


def test_a_finished_mail_is_not_carried() -> None:
    with pytest.raises(CannotCarry, match="finished"):
        AnymailCarrier("postal").compose(Account(1, "x", "postal", False, {}), RAW, [copy(1)])


@pytest.mark.parametrize("provider", ESPS)
def test_every_provider_of_anymail_has_its_road(provider: str) -> None:
    (road,) = PROVIDERS[provider].roads
    assert road.name == f"{provider}_anymail"
    assert road.needs == ESPS[provider].needs.keys()
