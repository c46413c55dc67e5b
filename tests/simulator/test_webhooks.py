"""Webhooks: shape, signature, retries."""

from sendgrid.helpers.eventwebhook import EventWebhook

from postroom.simulator.faces.sendgrid.signing import SIGNATURE, TIMESTAMP
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Receiver, Running, mail


def test_every_post_is_signed_over_timestamp_and_body(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.send(mail("delivered@sim.example"))
    eventually(simulator.is_settled)
    assert receiver.posts
    for post in receiver.posts:
        assert post.is_signed_by(simulator.public_key)
        assert post.headers["Content-Type"] == "application/json"
        assert post.body.startswith(b"[{")
        assert post.body.endswith(b"}]\r\n")


def test_the_vendors_own_client_verifies_the_signature(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.send(mail("delivered@sim.example"))
    eventually(simulator.is_settled)
    vendor = EventWebhook(simulator.public_key)
    for post in receiver.posts:
        proof = (post.headers[SIGNATURE], post.headers[TIMESTAMP])
        assert vendor.verify_signature(post.body.decode(), *proof)
        assert not vendor.verify_signature(post.body.decode() + " ", *proof)


def test_events_name_the_answered_message_and_carry_category_and_arguments(
    simulator: Running, receiver: Receiver
) -> None:
    answer = simulator.send(
        mail("delivered@sim.example", categories=["news"], custom_args={"email": "x", "k": "v"})
    )
    eventually(simulator.is_settled)
    message_id = answer.headers["X-Message-Id"]
    for event in receiver.events():
        assert event["sg_message_id"].startswith(f"{message_id}.")
        assert event["smtp-id"].startswith(f"<{message_id}@")
        assert event["category"] == ["news"]
        assert event["k"] == "v"
        assert event["email"] == "delivered@sim.example"


def test_a_refused_post_is_repeated_with_the_same_bytes_and_signature(
    simulator: Running, receiver: Receiver
) -> None:
    receiver.status = 503
    simulator.send(mail("suppressed@sim.example"))
    eventually(lambda: len(receiver.posts) >= 3)
    receiver.status = 200
    eventually(simulator.is_settled)
    assert len({(post.body, post.headers[SIGNATURE]) for post in receiver.posts}) == 1
    assert {event["event"] for event in receiver.events()} == {"dropped"}


def test_many_events_travel_in_batches_of_at_most_a_thousand(
    start: Start, receiver: Receiver
) -> None:
    running = start()
    for number in range(3):
        recipients = [f"delivered+{number}-{n}@sim.example" for n in range(1000)]
        running.send(mail(*recipients))
    eventually(running.is_settled, within_s=20)
    assert len(receiver.events()) == 6000
    assert max(len(post.events) for post in receiver.posts) <= 1000
    assert len(receiver.posts) < 200


def test_an_account_without_a_webhook_keeps_its_truth(start: Start, receiver: Receiver) -> None:
    running = start(webhook_url=None)
    running.send(mail("delivered@sim.example"))
    eventually(running.is_settled)
    assert receiver.posts == []
