"""A topic of Amazon SNS on loopback: it signs, serves its certificate, and takes confirmations."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.http import HttpResponse
from django.test import Client

from postroom.providers.base import Account
from tests.fake_sns import TOPIC, Amazon

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


@contextmanager
def serving() -> Iterator[Topic]:
    """A topic that answers inside."""
    with Topic() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def post(path: str, envelope: dict[str, Any]) -> HttpResponse:
    answer: Any = Client(raise_request_exception=False).post(
        path, data=json.dumps(envelope).encode(), content_type="text/plain; charset=UTF-8"
    )
    return answer  # type: ignore[no-any-return]
