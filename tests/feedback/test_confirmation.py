"""A topic that wants to be confirmed is visited once its wish is on disk, or told to ask again."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from postroom.feedback import webhook
from postroom.ledger import accounts
from postroom.providers.base import Account
from tests.fake_sns import TOPIC, Amazon
from tests.ledger.making import scalar

NOBODY = Account(0, "", "ses", True, {})


class Topic(ThreadingHTTPServer):
    """Serves a certificate and takes confirmations."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.amazon = Amazon(now=datetime.now(UTC))
        self.certificate: bytes | None = self.amazon.certificate(NOBODY, "")
        self.confirms = True
        self.visits: list[str] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/sns"

    def envelope(self, **changes: Any) -> dict[str, Any]:
        return self.amazon.signed(SigningCertURL=f"{self.endpoint}/topic.pem", **changes)

    def confirmation(self) -> dict[str, Any]:
        visit = f"{self.endpoint}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=y"
        return self.envelope(Type="SubscriptionConfirmation", SubscribeURL=visit, Token="y")


class _Handler(BaseHTTPRequestHandler):
    server: Topic

    def do_GET(self) -> None:
        if self.path.endswith(".pem"):
            self._answer(self.server.certificate)
        else:
            self.server.visits.append(self.path)
            self._answer(b"<ConfirmSubscriptionResponse/>" if self.server.confirms else None)

    def _answer(self, body: bytes | None) -> None:
        self.send_response(503 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def topic() -> Iterator[Topic]:
    with Topic() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def path(ledger: None, topic: Topic) -> str:
    """The webhook of an account that expects the topic."""
    webhook.forget()
    settings = {"topic_arns": TOPIC, "sns_endpoint": topic.endpoint}
    return f"/feedback/amazon/{accounts.add('amazon', 'ses', True, settings)}"


def post(path: str, envelope: dict[str, Any]) -> HttpResponse:
    answer: Any = Client(raise_request_exception=False).post(
        path, data=json.dumps(envelope).encode(), content_type="text/plain; charset=UTF-8"
    )
    return answer  # type: ignore[no-any-return]


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
