"""Doors to knock at: keys of several kinds, the HTTP client, SMTP listeners on real sockets."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from postroom.ledger import keys
from postroom.submission.smtp_listener import Listener
from postroom.submission.smtp_tls import server_context
from tests.submission.door import Door, serving

Submit = Callable[..., HttpResponse]


@pytest.fixture
def key(ledger: None) -> keys.NewKey:
    return keys.create_key("field", "test", ["send", "urgent"])


@pytest.fixture
def submit(key: keys.NewKey) -> Submit:
    """Submits a body with the key of `key`; changes are laid over a valid body."""

    def call(
        body: Any = None, *, raw: bytes | None = None, bearer: str | None = key.key, **headers: str
    ) -> HttpResponse:
        authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        response = Client().post(
            "/v1/messages",
            raw if raw is not None else json.dumps(body),
            content_type=headers.pop("content_type", "application/json"),
            headers={**authorization, **headers},
        )
        assert isinstance(response, HttpResponse)
        return response

    return call


@pytest.fixture
def submission_door(ledger: None) -> Iterator[Door]:
    """A submission listener with STARTTLS."""
    with serving(Listener("mail.corp.example", relays=False, tls=_tls())) as door:
        yield door


@pytest.fixture
def implicit_tls_door(ledger: None) -> Iterator[Door]:
    with serving(Listener("mail.corp.example", relays=False), implicit=True) as door:
        yield door


@pytest.fixture
def relay_door(ledger: None) -> Iterator[Door]:
    """A relay listener that knows loopback as the application `legacy`."""
    keys.add_network("legacy", "127.0.0.0/8", kind="test")
    with serving(Listener("mail.corp.example", relays=True, tls=_tls())) as door:
        yield door


@pytest.fixture
def foreign_relay_door(ledger: None) -> Iterator[Door]:
    """A relay listener that knows no network."""
    with serving(Listener("mail.corp.example", relays=True)) as door:
        yield door


def _tls() -> Any:
    return server_context("mail.corp.example")
