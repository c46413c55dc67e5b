"""What holds for every vendor that takes mails for many copies as one JSON body."""

import html
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Mailbox
from postroom.domain.template import MissingField, parse
from postroom.providers.base import CannotCarry, Carrier, Stored
from postroom.providers.brevo import BrevoSmtpCarrier
from postroom.providers.brevo.compose import LIMITS as BREVO_LIMITS
from postroom.providers.mailjet import MailjetSmtpCarrier
from postroom.providers.mailjet.compose import LIMITS as MAILJET_LIMITS
from postroom.providers.postmark.compose import LIMITS as POSTMARK_LIMITS
from postroom.providers.resend.compose import BATCH as RESEND_LIMITS
from tests.providers.json_vendors import (
    BREVO,
    MAILJET,
    POSTMARK,
    RAW,
    RESEND,
    SPARKPOST,
    Told,
    Vendor,
)
from tests.providers.mail_making import CONTENT, INVITE, PLAIN, copies, copy, headers

VENDORS = (POSTMARK, MAILJET, SPARKPOST, BREVO, RESEND)


def name(vendor: Vendor) -> str:
    return vendor.account.provider


every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=name)
values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
unbraced = st.text(st.characters(codec="utf-8", exclude_characters="\x00{"), max_size=30)


@every_vendor
@given(data=st.data())
def test_every_copy_has_the_texts_of_its_own(vendor: Vendor, data: st.DataObject) -> None:
    own = values if vendor.braces else unbraced
    pairs = data.draw(st.lists(st.tuples(own, own), min_size=1, max_size=4))
    to = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    (call,) = vendor.compose(CONTENT, *to)
    for one, told in zip(to, vendor.told(call), strict=True):
        assert told == Told(
            one.recipient,
            str(one.handover_id),
            told.subject,
            parse(CONTENT.text or "").render(one.vars),
            parse(CONTENT.html or "").render(one.vars, html.escape),
        )


@every_vendor
def test_a_line_end_in_a_value_never_reaches_the_subject(vendor: Vendor) -> None:
    (call,) = vendor.compose(CONTENT, copy(1, name="Jo\r\nBcc: x@example.com"))
    (told,) = vendor.told(call)
    assert told.subject == "Hello Jo Bcc: x@example.com"


@every_vendor
def test_a_call_takes_as_many_copies_as_the_vendor_and_not_one_more(vendor: Vendor) -> None:
    most = vendor.copies_max
    for count, sizes in ((most, [most]), (most + 1, [most, 1])):
        calls = vendor.compose(CONTENT, *copies(count))
        assert [len(call.copies) for call in calls] == sizes


@every_vendor
def test_every_copy_s_slice_is_its_own_piece(vendor: Vendor) -> None:
    (call,) = vendor.compose(CONTENT, *copies(3))
    body = call.body()
    slices = [json.loads(body[start : start + length]) for start, length in call.slices]
    assert slices == vendor.pieces(call)


@every_vendor
def test_long_runs_of_the_text_are_kept_for_all_copies_together(vendor: Vendor) -> None:
    long = "word " * 2_000
    (call,) = vendor.compose(replace(CONTENT, text=f"Dear {{{{ name }}}} {long}"), *copies(20))
    (blob,) = call.shared.values()
    assert len(blob) < 3 * len(long)
    written = sum(len(segment) for segment in call.segments if isinstance(segment, bytes))
    assert written < 20 * 1_000
    assert any(isinstance(segment, Stored) for segment in call.segments)
    assert all(long in told.text for told in vendor.told(call))


@pytest.mark.parametrize(
    ("vendor", "count", "bytes_max"),
    [
        pytest.param(POSTMARK, 100, POSTMARK_LIMITS.bytes, id="postmark"),
        pytest.param(MAILJET, 50, MAILJET_LIMITS.bytes, id="mailjet"),
        pytest.param(BREVO, 80, BREVO_LIMITS.bytes, id="brevo"),
        pytest.param(RESEND, 60, RESEND_LIMITS.bytes, id="resend"),
    ],
)
def test_calls_stay_within_the_vendor_s_bytes(vendor: Vendor, count: int, bytes_max: int) -> None:
    assert count <= vendor.copies_max
    calls = vendor.compose(replace(CONTENT, html="{{ name }}" + "å" * 100_000), *copies(count))
    assert len(calls) > 1
    assert all(len(call.body()) <= bytes_max for call in calls)


@every_vendor
def test_a_missing_value_is_named(vendor: Vendor) -> None:
    with pytest.raises(MissingField, match="name"):
        vendor.compose(CONTENT, replace(copy(1), vars={"code": "x"}))


@every_vendor
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"cc": (Mailbox("c@example.com"),)}, id="cc"),
        pytest.param({"display_to": (Mailbox("c@example.com"),)}, id="display_to"),
        pytest.param({"message_id": "<own@example.com>"}, id="message_id"),
        pytest.param({"text": None}, id="no text"),
        pytest.param({"attachments": (INVITE,)}, id="invitation"),
    ],
)
def test_what_no_json_can_say_is_not_carried(vendor: Vendor, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        vendor.compose(replace(PLAIN, **changes), copy(1))


@pytest.mark.parametrize("vendor", [POSTMARK, MAILJET, SPARKPOST, BREVO], ids=name)
def test_several_addresses_to_reply_to_are_not_carried(vendor: Vendor) -> None:
    several = (Mailbox("a@example.com"), Mailbox("b@example.com"))
    with pytest.raises(CannotCarry):
        vendor.compose(replace(PLAIN, reply_to=several), copy(1))


@pytest.mark.parametrize("vendor", [POSTMARK, MAILJET, SPARKPOST], ids=name)
def test_a_return_path_of_the_mail_s_own_is_not_carried(vendor: Vendor) -> None:
    with pytest.raises(CannotCarry):
        vendor.compose(replace(PLAIN, **headers(Return_Path="x@example.com")), copy(1))


@every_vendor
def test_a_finished_mail_is_not_carried_as_json(vendor: Vendor) -> None:
    with pytest.raises(CannotCarry, match="finished"):
        vendor.compose(RAW, copy(1))


@pytest.mark.parametrize(
    ("vendor", "road", "change"),
    [
        pytest.param(MAILJET, MailjetSmtpCarrier, "Message-ID written by Mailjet", id="mailjet"),
        pytest.param(BREVO, BrevoSmtpCarrier, "Message-ID written by Brevo", id="brevo"),
    ],
)
def test_a_finished_mail_goes_by_smtp(
    vendor: Vendor, road: Callable[[], Carrier], change: str
) -> None:
    (call,) = road().compose(vendor.account, RAW, [copy(1)])
    assert call.body().endswith(b"Subject: x\r\n\r\nx\r\n")
    assert change in call.changes
