"""The webhook keeps what proved its origin, byte for byte, and refuses everything else."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from postroom.feedback import interpreter, keeping
from postroom.feedback.reading import read_receipt
from postroom.ledger import accounts, receipts, suppressions
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import transaction
from postroom.providers.sendgrid import SendGridReceiver
from tests.feedback.making import Teller, teller, told
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, row, scalar

pytestmark = pytest.mark.usefixtures("ledger", "forgetful")


@pytest.fixture
def forgetful() -> None:
    """What the web role remembers of accounts belongs to one test."""
    keeping.forget()


def handed_over() -> NewAttempt:
    accept(new_message(application()))
    attempt = making.begin(claim())
    making.settle(attempt)
    return attempt


def interpret() -> int:
    return receipts.interpret_new(100, read_receipt)


def verdict(attempt: NewAttempt) -> tuple[str, str]:
    found = row(attempt.handovers[0].delivery_id, "verdict", "reason")
    return found[0], found[1]


def test_a_signed_notification_is_stored_before_it_is_answered_and_read_later() -> None:
    provider, attempt = teller(), handed_over()
    assert provider.tell(told(attempt.handovers[0].id)).status_code == 200
    assert verdict(attempt)[0] == "submitted"
    assert interpret() == 1
    assert verdict(attempt)[0] == "delivered"


def test_credentials_in_headers_are_never_stored() -> None:
    provider = teller()
    provider.tell()
    assert "authorization" not in scalar("SELECT headers FROM receipt")


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": "AAAA"},
        {"sent": b"[{}]"},
        {"stamp": int(time.time()) - 26 * 3600},
        {"stamp": int(time.time()) + 3600},
    ],
    ids=["unsigned", "wrong signature", "altered body", "stale", "from the future"],
)
def test_what_does_not_prove_its_origin_is_refused_counted_and_never_applied(
    changes: dict[str, object],
) -> None:
    provider, attempt = teller(), handed_over()
    answer = provider.tell(told(attempt.handovers[0].id, "bounce"), **changes)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    sentences = json.loads(answer.content)["detail"].split(". ")
    assert [sentence[0] for sentence in sentences] == ["T", "N"]
    assert sentences[1] == "Nothing was stored as an event."
    assert interpret() == 0
    assert scalar("SELECT count FROM tally WHERE name = 'receipts_refused'") == 1
    assert scalar("SELECT count(*) FROM refused_receipt") == 1


def test_another_accounts_signature_is_refused() -> None:
    provider, other = teller(), teller("other")
    impostor = Teller(provider.account, provider.secret, other.key)
    assert impostor.tell().status_code == 401


def test_another_accounts_events_change_nothing() -> None:
    attempt, other = handed_over(), teller("other")
    assert other.tell(told(attempt.handovers[0].id, "bounce")).status_code == 200
    interpret()
    assert verdict(attempt)[0] == "submitted"
    assert scalar("SELECT count(*) FROM orphan") == 1


@pytest.mark.parametrize("changes", [{"secret": "wrong"}, {"account": "nobody"}])
def test_a_wrong_path_is_not_found(changes: dict[str, str]) -> None:
    assert teller().tell(**changes).status_code == 404


def test_only_the_latest_hundred_refused_are_kept() -> None:
    provider = teller()
    row = accounts.by_name("simulator")
    assert row is not None
    with transaction() as conn:
        conn.execute(
            "INSERT INTO refused_receipt (account_id, received_at, why, headers, body)"
            " SELECT %s, now(), 'old', '{}', '' FROM generate_series(1, 150)",
            (row.id,),
        )
    provider.tell(signature="")
    assert scalar("SELECT count(*) FROM refused_receipt") == 100


def test_a_dead_address_is_suppressed_with_the_receipt_as_evidence() -> None:
    provider, attempt = teller(), handed_over()
    bounce = told(
        attempt.handovers[0].id, "bounce", type="bounce", status="5.1.1",
        reason="550 5.1.1 no such user", bounce_classification="Invalid Address",
    )  # fmt: skip
    provider.tell(bounce)
    interpret()
    assert verdict(attempt) == ("bounced", "address_unknown")
    [standing] = suppressions.standing(True, ["ann@example.com"]).values()
    assert standing.receipt_id == scalar("SELECT id FROM receipt")


def test_a_complaint_suppresses_and_implies_that_the_mail_arrived() -> None:
    provider, attempt = teller(), handed_over()
    provider.tell(told(attempt.handovers[0].id, "spamreport"))
    interpret()
    assert verdict(attempt)[0] == "delivered"
    assert "ann@example.com" in suppressions.standing(True, ["ann@example.com"])


def test_an_unknown_event_is_kept_and_counted() -> None:
    provider, attempt = teller(), handed_over()
    provider.tell(told(attempt.handovers[0].id, "brand_new"))
    interpret()
    assert scalar("SELECT type FROM event") == "unknown"
    assert scalar("SELECT count FROM tally WHERE name = 'events_unknown'") == 1
    assert verdict(attempt)[0] == "submitted"


def test_bytes_that_are_no_notification_are_kept_as_unreadable() -> None:
    assert teller().post(b"\xff not json").status_code == 200
    assert interpret() == 1
    assert scalar("SELECT stage FROM receipt") == "unreadable"


def test_a_body_on_which_our_reader_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    provider, attempt = teller(), handed_over()
    real = SendGridReceiver.parse

    def parse(receiver: SendGridReceiver, headers: Mapping[str, str], body: bytes) -> Any:
        if b"poison" in body:
            raise TypeError
        return real(receiver, headers, body)

    monkeypatch.setattr(SendGridReceiver, "parse", parse)
    provider.post(b'["poison"]')
    provider.tell(told(attempt.handovers[0].id))
    assert interpret() == 2
    assert verdict(attempt)[0] == "delivered"
    assert scalar("SELECT count(*) FROM receipt WHERE stage = 'unreadable'") == 1


def test_an_event_with_nul_and_half_surrogates_is_stored_readably() -> None:
    provider, attempt = teller(), handed_over()
    body = (
        b'[{"email": "ann@example.com", "timestamp": 1, "event": "deferred",'
        b' "response": "a\\u0000b\\ud800c", "postroom_handover": "%s"}]'
    ) % str(attempt.handovers[0].id).encode()
    provider.post(body)
    interpret()
    assert (
        scalar("SELECT diagnostic FROM event")
        == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    )


def test_replaying_all_receipts_gives_the_same_ledger() -> None:
    provider, attempt = teller(), handed_over()
    for event in ("processed", "deferred", "delivered", "open", "delivered"):
        provider.tell(told(attempt.handovers[0].id, event))
    interpret()
    everything = "SELECT array_agg(event.*::text ORDER BY digest) FROM event"
    before = scalar(everything), verdict(attempt), scalar("SELECT count(*) FROM hearing")
    assert interpreter.replay() == interpreter.Replayed(receipts=5, new=0, changes={})
    assert before == (scalar(everything), verdict(attempt), scalar("SELECT count(*) FROM hearing"))
