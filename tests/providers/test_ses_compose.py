"""Amazon SES's JSON: the very bytes of the mail, one recipient, nothing said that changes it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Content, Mailbox
from postroom.providers.base import Call, CannotCarry, Copy, RawMail, Segment, Stored, assemble
from postroom.providers.ses import STEERING, SesCarrier, SesSmtpCarrier
from tests.providers.ses_making import HANDOVER, KIM, MAIL, account, raw, run_of

BLOB = (bytes(range(32, 127)) + b"\r\n") * 40


def composed(mail: RawMail, copy: Copy = KIM, **settings: str) -> Call:
    (call,) = SesCarrier().compose(account(settings), mail, [copy])
    return call


def body(call: Call) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(call.body())
    return read


def carried(call: Call) -> bytes:
    return base64.b64decode(body(call)["Content"]["Raw"]["Data"], validate=True)


def test_a_mail_travels_byte_for_byte_to_its_one_recipient() -> None:
    call = composed(raw())
    assert carried(call) == MAIL
    assert body(call)["Destination"] == {"ToAddresses": ["kim@example.org"]}


def test_the_hand_over_id_travels_as_a_tag_and_nothing_else_about_the_recipient() -> None:
    tags = body(composed(raw()))["EmailTags"]
    assert tags == [{"Name": "postroom_handover", "Value": str(HANDOVER)}]


def test_the_from_of_the_mail_is_left_alone() -> None:
    assert not {"FromEmailAddress", "ReplyToAddresses"} & body(composed(raw())).keys()


def test_what_the_service_writes_itself_stands_among_the_changes() -> None:
    call = composed(raw())
    assert "Message-ID and Date written by Amazon SES" in call.changes
    assert not SesCarrier.capabilities.own_message_id


def test_events_are_published_by_the_set_that_the_account_names() -> None:
    assert "ConfigurationSetName" not in body(composed(raw()))
    assert body(composed(raw(), configuration_set="plain"))["ConfigurationSetName"] == "plain"


def test_tracking_is_asked_for_by_another_set() -> None:
    names = []
    for mail in (raw(), raw(track_clicks=True)):
        call = composed(mail, configuration_set="plain", configuration_set_tracking="tracked")
        names.append(body(call)["ConfigurationSetName"])
    assert names == ["plain", "tracked"]


pieces = st.one_of(
    st.binary(max_size=40),
    st.tuples(st.integers(0, 1900), st.integers(0, 1900)).map(lambda at: run_of(BLOB, *at)),
)


@given(st.lists(pieces, max_size=6))
def test_segments_in_any_order_give_the_base64_of_the_whole(segments: list[Segment]) -> None:
    mail = RawMail("a@example.com", {HANDOVER: tuple(segments)}, raw(blob=BLOB).shared)
    assert carried(composed(mail)) == assemble(segments, mail.shared)


def test_long_runs_stay_runs_so_that_a_thousand_copies_share_their_bytes() -> None:
    text = b"A line of text that everybody gets.\r\n" * 400
    mail = raw(b"To: kim@example.org\r\n", run_of(text, 0, len(text)), blob=text)
    call = composed(mail)
    own = sum(len(segment) for segment in call.segments if isinstance(segment, bytes))
    assert own < 500
    assert any(isinstance(segment, Stored) for segment in call.segments)
    assert carried(call) == b"To: kim@example.org\r\n" + text


def test_the_slice_of_a_copy_is_the_whole_call() -> None:
    call = composed(raw())
    assert call.slices == ((0, len(call.body())),)


def test_a_domain_beyond_ascii_is_sent_in_its_ascii_form() -> None:
    call = composed(raw(), Copy(HANDOVER, "kim@m\u00fcller.example"))
    assert body(call)["Destination"] == {"ToAddresses": ["kim@xn--mller-kva.example"]}


def test_a_line_that_the_service_refuses_sends_the_mail_another_way() -> None:
    text = b"Subject: x\r\n\r\n" + b"x" * 1200 + b"\r\n"
    with pytest.raises(CannotCarry, match="998"):
        composed(raw(blob=text))


def test_a_mail_beyond_forty_megabytes_after_base64_is_not_carried() -> None:
    text = b"A line of text that everybody gets.\r\n" * 820_000
    with pytest.raises(CannotCarry, match="40 MB"):
        composed(raw(blob=text))


def test_content_that_is_not_built_yet_is_not_carried() -> None:
    content = Content(Mailbox("news@postroom.example"), "Hello", text="Hello")
    with pytest.raises(CannotCarry):
        SesCarrier().compose(account(), content, [KIM])


def test_the_smtp_road_says_the_same_in_headers_that_the_service_takes_off() -> None:
    of = account({"configuration_set": "plain"})
    (call,) = SesSmtpCarrier().compose(of, raw(), [KIM])
    head = f"X-SES-MESSAGE-TAGS: postroom_handover={HANDOVER}\r\nX-SES-CONFIGURATION-SET: plain\r\n"
    assert call.body() == head.encode() + MAIL
    assert "Message-ID and Date written by Amazon SES" in call.changes


def test_an_applications_own_steering_headers_are_left_out_on_both_roads() -> None:
    assert {b"x-ses-message-tags", b"x-ses-configuration-set"} <= STEERING
