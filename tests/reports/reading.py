"""Somebody with a key, who reads."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from postroom.ledger import keys


@dataclass
class Reader:
    """Somebody with a key."""

    client: Client

    def get(self, path: str, **query: str) -> dict[str, Any]:
        response = self.client.get(path, query)
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        return answer

    def refused(self, path: str, status: int, **query: str) -> dict[str, Any]:
        return problem(self.client.get(path, query), status)


def problem(response: Any, status: int) -> dict[str, Any]:
    """The body of a refusal, which has the one shape."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:postroom:problem:")
    assert body["title"]
    assert body["detail"]
    return body


def reader(application: str = "shop", *scopes: str, kind: str = "test") -> Reader:
    domains = ["example.org"] if kind == "live" else []
    key = keys.create_key(application, kind, scopes or ("read",), domains)
    return Reader(Client(headers={"Authorization": f"Bearer {key.key}"}))
