"""A topic that wants to be confirmed is visited once its wish is on disk, or told to ask again."""

from tests.fake_sns import TOPIC
from tests.feedback.topic import Topic, post
from tests.ledger.making import scalar


def receipts() -> int:
    found: int = scalar("SELECT count(*) FROM receipt")
    return found


def test_a_confirmation_of_an_expected_topic_is_stored_and_made(topic: Topic, path: str) -> None:
    assert post(path, topic.confirmation()).status_code == 200
    assert receipts() == 1
    assert topic.visits == [f"/sns/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=y"]


def test_a_visit_that_fails_makes_the_topic_ask_again(topic: Topic, path: str) -> None:
    topic.confirms = False
    assert post(path, topic.confirmation()).status_code == 503
    topic.confirms = True
    assert post(path, topic.confirmation()).status_code == 200


def test_a_notification_is_stored_and_visits_nobody(topic: Topic, path: str) -> None:
    assert post(path, topic.envelope()).status_code == 200
    assert (receipts(), topic.visits) == (1, [])


def test_the_end_of_a_subscription_is_kept_and_not_undone(topic: Topic, path: str) -> None:
    visit = topic.confirmation()["SubscribeURL"]
    leaving = topic.envelope(Type="UnsubscribeConfirmation", SubscribeURL=visit, Token="y")
    assert post(path, leaving).status_code == 200
    assert (receipts(), topic.visits) == (1, [])


def test_a_forged_confirmation_is_refused_and_visits_nobody(topic: Topic, path: str) -> None:
    forged = topic.confirmation() | {"Signature": "AAAA"}
    assert post(path, forged).status_code == 401
    assert (receipts(), topic.visits) == (0, [])


def test_without_the_certificate_the_topic_is_asked_to_repeat(topic: Topic, path: str) -> None:
    topic.certificate = None
    changed = topic.envelope() | {"SigningCertURL": f"{topic.endpoint}/missing.pem"}
    assert post(path, changed).status_code == 503
    assert scalar("SELECT count(*) FROM refused_receipt") == 0
