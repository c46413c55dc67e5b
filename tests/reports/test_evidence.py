"""Evidence is the delivery's own: never another recipient's bytes, always the whole's digest."""

from typing import Any

from postroom.domain.delivery import Outcome
from postroom.ledger import attempts, settlements
from postroom.ledger.attempts import NewAttempt, NewHandover
from postroom.ledger.ids import uuid7, uuid7_like
from postroom.ledger.settlements import HandoverResult, Settlement, Then
from tests.ledger import busy, making
from tests.reports.reading import reader


def test_evidence_is_the_deliverys_own_slice_and_the_digest_of_the_whole(ledger: None) -> None:
    made = busy.busy_ledger()
    kept = reader().get(f"/v1/deliveries/{made.deliveries['delivered']}/evidence")
    assert len(kept["submission"]["sha256"]) == 64
    assert kept["submission"]["parts"] == []
    assert {len(receipt["body"]["sha256"]) for receipt in kept["receipts"]} == {64}
    slices = {part["text"] for receipt in kept["receipts"] for part in receipt["body"]["parts"]}
    assert slices == {'{"event": "one"}'}


def begun_call_to_two(lost: str | None = None) -> tuple[NewAttempt, bytes]:
    """An attempt to ann and bob and its request; the claim on `lost` is somebody else's by now."""
    making.accept(making.new_message(making.application(), ["ann@example.com", "bob@example.com"]))
    claimed = sorted(making.claim(), key=lambda one: one.recipient)
    head, own, other, tail = b'{"to": [', b'"ann@example.com",', b'"bob@example.com"', b"]}"
    spans = [(len(head), len(own)), (len(head) + len(own), len(other))]
    attempt = NewAttempt(
        id=uuid7(making.now()),
        message_id=claimed[0].message_id,
        account_id=making.account(),
        road="sendgrid",
        begun_at=making.now(),
        segments=[head, own, other, tail],
        shared={},
        handovers=[
            NewHandover(
                uuid7_like(one.delivery_id),
                one.delivery_id,
                one.fence - (one.recipient == lost),
                *span,
            )
            for one, span in zip(claimed, spans, strict=True)
        ],
        lease_s=120.0,
    )
    attempts.begin([attempt])
    return attempt, head + own + other + tail


def call_to_two(answer: bytes) -> tuple[NewAttempt, bytes]:
    """An attempt to ann and bob that was answered with these bytes; and its request."""
    attempt, request = begun_call_to_two()
    results = [
        HandoverResult(h.id, h.delivery_id, h.fence, Outcome.TAKEN, Then.HANDED)
        for h in attempt.handovers
    ]
    settlements.settle(
        [
            Settlement(
                attempt_id=attempt.id,
                ended_at=making.now(),
                outcome=Outcome.TAKEN,
                status=202,
                headers={},
                body=answer,
                error=None,
                provider_message_id=None,
                results=results,
            )
        ]
    )
    return attempt, request


def evidence_of_ann(attempt: NewAttempt) -> dict[str, Any]:
    path = f"/v1/deliveries/{attempt.handovers[0].delivery_id}/evidence"
    one: dict[str, Any] = reader().get(path)["attempts"][0]
    return one


def test_evidence_never_shows_another_recipient_of_the_same_call(ledger: None) -> None:
    attempt, request = call_to_two(b"accepted")
    shown = evidence_of_ann(attempt)
    parts = [part["text"] for part in shown["request"]["parts"]]
    assert parts == ['{"to": [', '"ann@example.com",', None, "]}"]
    assert shown["request"]["size_bytes"] == len(request)
    assert "bob@" not in str(shown)
    assert shown["response"]["parts"][0]["text"] == "accepted"


def test_an_answer_that_names_another_recipient_is_kept_but_not_shown(ledger: None) -> None:
    attempt, _ = call_to_two(b'{"errors": "BOB@example.com is wrong"}')
    response = evidence_of_ann(attempt)["response"]
    assert response["parts"] == []
    assert len(response["sha256"]) == 64


def test_bytes_that_are_no_text_come_as_base64(ledger: None) -> None:
    attempt, _ = call_to_two(b"\xff\xfe")
    (part,) = evidence_of_ann(attempt)["response"]["parts"]
    assert (part["text"], part["base64"]) == (None, "//4=")


def test_a_call_that_lost_one_of_its_recipients_was_never_made_and_shows_no_request(
    ledger: None,
) -> None:
    attempt, _ = begun_call_to_two(lost="bob@example.com")
    request = evidence_of_ann(attempt)["request"]
    assert request["size_bytes"] == 0
    assert "bob" not in str(request)
