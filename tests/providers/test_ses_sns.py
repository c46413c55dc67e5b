"""Amazon SNS's signature: every byte that matters is covered, and only Amazon's key will do."""

import json
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from postroom.providers.base import Account, CannotTell, NotAuthentic
from postroom.providers.ses import SesReceiver, follow_up
from tests.fake_sns import NOW, TOPIC, VISIT, Amazon
from tests.providers.ses_making import account

AMAZON = Amazon()


def body(envelope: dict[str, Any]) -> bytes:
    return json.dumps(envelope).encode()


def check(
    envelope: dict[str, Any], amazon: Amazon = AMAZON, now: datetime = NOW, **settings: str
) -> None:
    of = account({"topic_arns": TOPIC, **settings})
    SesReceiver(amazon.certificate).verify(of, {}, body(envelope), now)


def confirmation(**changes: Any) -> dict[str, Any]:
    asked = {"Type": "SubscriptionConfirmation", "SubscribeURL": VISIT, "Token": "y"}
    return AMAZON.signed(**{**asked, **changes})


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("changes", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_a_notification_of_an_expected_topic_is_believed(
    version: str, changes: dict[str, str]
) -> None:
    check(AMAZON.signed(SignatureVersion=version, **changes))


def test_one_of_several_expected_topics_is_enough() -> None:
    check(AMAZON.signed(), topic_arns=f"arn:aws:sns:eu-west-1:123456789012:other, {TOPIC}")


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "TopicArn", "Type"])
def test_every_signed_field_of_a_notification_is_covered(name: str) -> None:
    envelope = AMAZON.signed()
    envelope[name] += "x"
    with pytest.raises(NotAuthentic):
        check(envelope)


@pytest.mark.parametrize("name", ["SubscribeURL", "Token", "Message"])
def test_every_signed_field_of_a_confirmation_is_covered(name: str) -> None:
    envelope = confirmation()
    check(envelope)
    envelope[name] += "x"
    with pytest.raises(NotAuthentic, match="does not belong"):
        check(envelope)


def test_a_subject_that_was_added_breaks_the_signature() -> None:
    with pytest.raises(NotAuthentic, match="does not belong"):
        check(AMAZON.signed() | {"Subject": "other"})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"SignatureVersion": "3"}, "version"),
        ({"SignatureVersion": None}, "version"),
        ({"Signature": "no base64!"}, "base64"),
        ({"Signature": None}, "does not belong"),
        ({"Signature": ["x"]}, "does not belong"),
    ],
)
def test_a_signature_that_cannot_be_one_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NotAuthentic, match=why):
        check(AMAZON.signed() | changes)


@pytest.mark.parametrize(
    "stamp", ["2026-11-24T06:19:00.000Z", "2026-11-24T08:31:00.000Z", "yesterday", ""]
)
def test_a_stale_a_future_and_an_unreadable_time_are_refused(stamp: str) -> None:
    with pytest.raises(NotAuthentic, match="timestamp"):
        check(AMAZON.signed(Timestamp=stamp))


def test_an_unexpected_topic_is_refused_before_anything_is_fetched() -> None:
    amazon = Amazon()
    with pytest.raises(NotAuthentic, match="topic"):
        check(amazon.signed(), amazon, topic_arns="arn:aws:sns:eu-west-1:1:other")
    assert amazon.asked == []


def test_an_account_without_topics_expects_none() -> None:
    with pytest.raises(NotAuthentic, match="topic_arns"):
        check(AMAZON.signed(), topic_arns="")


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?x=.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=GetEndpointAttributes&x=.pem",
        "https://sns.eu-west-1.amazonaws.com/a/../b.pem",
        "https://sns.eu-west-1.amazonaws.com/x.pem\n",
        "https://s3.amazonaws.com/bucket/x.pem",
        "https://169.254.169.254/latest/x.pem",
        "http://127.0.0.1:8026/sns/x.pem",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_never_fetched(url: str) -> None:
    amazon = Amazon()
    with pytest.raises(NotAuthentic, match="SigningCertURL"):
        check(amazon.signed(SigningCertURL=url), amazon)
    assert amazon.asked == []


def test_amazons_hosts_in_china_are_amazons() -> None:
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"
    amazon = Amazon()
    check(amazon.signed(SigningCertURL=url), amazon)
    assert amazon.asked == [url]


def test_a_certificate_is_fetched_once() -> None:
    amazon = Amazon()
    receiver, of = SesReceiver(amazon.certificate), account({"topic_arns": TOPIC})
    for _ in range(3):
        receiver.verify(of, {}, body(amazon.signed()), NOW)
    assert len(amazon.asked) == 1


@pytest.mark.parametrize(
    ("amazon", "why"),
    [
        (Amazon(name="sns.evil.example"), "own"),
        (Amazon(days_left=-1), "in force"),
        (Amazon(rsa.generate_private_key(65537, 1024)), "RSA"),  # noqa: S505 - that is the point
    ],
    ids=["another name", "expired", "a short key"],
)
def test_a_certificate_that_is_not_amazons_own_proves_nothing(amazon: Amazon, why: str) -> None:
    with pytest.raises(NotAuthentic, match=why):
        check(amazon.signed(), amazon)


def test_another_kind_of_key_proves_nothing() -> None:
    curve = Amazon(ec.generate_private_key(ec.SECP256R1()))
    receiver = SesReceiver(curve.certificate)
    with pytest.raises(NotAuthentic, match="RSA"):
        receiver.verify(account({"topic_arns": TOPIC}), {}, body(AMAZON.signed()), NOW)


def test_a_certificate_that_is_not_to_be_had_makes_amazon_repeat() -> None:
    asked = []

    def fail(_account: Account, url: str) -> bytes:
        asked.append(url)
        raise CannotTell("no answer")

    receiver = SesReceiver(fail)
    for _ in range(3):
        with pytest.raises(CannotTell):
            receiver.verify(account({"topic_arns": TOPIC}), {}, body(AMAZON.signed()), NOW)
    assert len(asked) == 1


def test_bytes_that_are_no_certificate_make_amazon_repeat() -> None:
    receiver = SesReceiver(lambda _account, _url: b"<html>busy</html>")
    with pytest.raises(CannotTell):
        receiver.verify(account({"topic_arns": TOPIC}), {}, body(AMAZON.signed()), NOW)


@pytest.mark.parametrize("sent", [b"", b"[]", b"{}", b'{"eventType":"Bounce"}', b"\xff", b"[" * 99])
def test_what_is_no_envelope_is_refused_raw_delivery_too(sent: bytes) -> None:
    with pytest.raises(NotAuthentic):
        SesReceiver(AMAZON.certificate).verify(account({"topic_arns": TOPIC}), {}, sent, NOW)


def test_a_confirmation_asks_to_visit_amazon() -> None:
    assert follow_up(account(), {}, body(confirmation())) == VISIT


def test_everything_else_asks_for_no_visit() -> None:
    leaving = AMAZON.signed(Type="UnsubscribeConfirmation", SubscribeURL=VISIT, Token="y")
    assert follow_up(account(), {}, body(AMAZON.signed())) is None
    assert follow_up(account(), {}, body(leaving)) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/?Action=ConfirmSubscription&x",
        "https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&TopicArn=x",
        "https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&x",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&x",
        "http://127.0.0.1:8026/sns/?Action=ConfirmSubscription&x",
    ],
)
def test_an_address_elsewhere_is_never_visited(url: str) -> None:
    with pytest.raises(NotAuthentic):
        follow_up(account(), {}, body(confirmation(SubscribeURL=url)))


def test_only_a_simulated_account_believes_the_simulators_host() -> None:
    own = {"topic_arns": TOPIC, "sns_endpoint": "http://127.0.0.1:8026/sns"}
    envelope = AMAZON.signed(SigningCertURL="http://127.0.0.1:8026/sns/SimpleNotification-1.pem")
    SesReceiver(AMAZON.certificate).verify(account(own, simulated=True), {}, body(envelope), NOW)
    with pytest.raises(NotAuthentic, match="SigningCertURL"):
        SesReceiver(AMAZON.certificate).verify(account(own), {}, body(envelope), NOW)
    with pytest.raises(NotAuthentic, match="SigningCertURL"):
        SesReceiver(AMAZON.certificate).verify(
            account(own, simulated=True), {}, body(AMAZON.signed()), NOW
        )
