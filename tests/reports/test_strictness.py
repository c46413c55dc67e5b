"""Every route of the API: what it does not know is refused, in plain words and by its name."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from postroom.urls import api
from tests.ledger import busy
from tests.reports.reading import Reader, problem, reader

DOCUMENT: dict[str, Any] = api.get_openapi_schema(path_prefix="/v1/")
ROUTES = [
    (method.upper(), path, described)
    for path, methods in DOCUMENT["paths"].items()
    for method, described in methods.items()
]
WITH_BODY = [(method, path) for method, path, described in ROUTES if "requestBody" in described]
FOREIGN_WORDS = re.compile(
    r"Input should|Field required|Extra inputs|Value error|should have|should match|valid \w+ "
    r"or|unable to|at (?:least|most) \d+ (?:character|item)|pydantic|extra_forbidden|NoneType"
)
BAD_VALUES = [None, True, 7, 7.5, "", "x" * 5000, "no\u2028way", [], [None], {}, {"x": None}]


def everybody() -> Reader:
    """Somebody who may do everything."""
    return reader("shop", "read", "send", "manage")


def queries(described: dict[str, Any]) -> Iterator[str]:
    """The query parameters that the description of a route names."""
    for parameter in described.get("parameters", []):
        if parameter["in"] == "query":
            yield parameter["name"]


@pytest.mark.parametrize(
    ("method", "path", "described"),
    ROUTES,
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_query_parameter_that_a_route_does_not_know_is_a_422_that_names_it(
    ledger: None, method: str, path: str, described: dict[str, Any]
) -> None:
    made = busy.busy_ledger()
    address = (
        path.replace("{message_id}", str(made.attempt.message_id))
        .replace("{delivery_id}", str(made.deliveries["bounced"]))
        .replace("{name}", busy.COMMUNICATION)
        .replace("{suppression_id}", "1")
    )
    body = {"address": "a@b.example"} if path == "/v1/suppressions" else None
    known = list(queries(described))
    for name in ("recipent", "request", "body", *known):
        answer = everybody().client.generic(
            method,
            f"{address}?{name}=1&{name}=2",
            json.dumps(body) if body and method == "POST" else b"",
            content_type="application/json",
        )
        (error,) = problem(answer, 422)["errors"]
        assert error["field"] == name
        assert ("no parameter of this address" in error["detail"]) is (name not in known)


def test_an_unknown_parameter_is_told_with_those_that_there_are(ledger: None) -> None:
    told = reader().refused("/v1/communications", 422, since="2026-11-24T00:00:00Z")
    assert told["detail"] == "since: is no parameter of this address; it takes cursor, limit"


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_a_bad_body_is_refused_in_our_words_and_with_the_fields_own_names(
    ledger: None, method: str, path: str
) -> None:
    client, refused = everybody().client, 0
    for body in bad_bodies(method, path):
        answer = client.generic(
            method, path.format(suppression_id=1), json.dumps(body), content_type="application/json"
        )
        if answer.status_code in (404, 201, 202):
            continue
        told = problem(answer, 422)
        assert not FOREIGN_WORDS.search(json.dumps(told)), told
        assert told["errors"]
        for error in told["errors"]:
            assert error["field"].split("[")[0].split(".")[0] in {*fields(method, path), "body"}
            assert error["detail"]
        refused += 1
    assert refused > 20


def fields(method: str, path: str) -> set[str]:
    """The fields of a body, and one that none has."""
    described = DOCUMENT["paths"][path][method.lower()]["requestBody"]["content"]
    schema = described["application/json"]["schema"]
    for branch in schema.get("anyOf", [schema]):
        if "$ref" in branch:
            schema = DOCUMENT["components"]["schemas"][branch["$ref"].rpartition("/")[2]]
    return {*schema["properties"], "nonsense"}


def bad_bodies(method: str, path: str) -> Iterator[Any]:
    """Bodies of the wrong type, and objects with one field of each wrong kind."""
    yield from ([], 7, "text", {}, True)
    for name in sorted(fields(method, path)):
        for value in BAD_VALUES:
            yield {name: value}
            yield {name: [value]}
            yield {name: {"email": value, "url": value, "states": value, "opens": value}}


@pytest.mark.parametrize("name", ["limit", "simulated"])
def test_a_parameter_of_the_wrong_type_is_told_in_our_words(ledger: None, name: str) -> None:
    busy.busy_ledger()
    path = {
        "limit": "/v1/deliveries",
        "simulated": f"/v1/communications/{busy.COMMUNICATION}/report",
    }
    for value in ("", "x", "1.5", "9" * 5000, "é"):
        answer = reader().client.get(f"{path[name]}?{name}={quote(value)}")
        told = problem(answer, 422)
        assert not FOREIGN_WORDS.search(json.dumps(told)), told
        assert [error["field"] for error in told["errors"]] == [name]


def test_without_a_key_an_unknown_parameter_tells_nothing(ledger: None) -> None:
    for method, path, _ in ROUTES:
        if "{" not in path:
            problem(Client().generic(method, f"{path}?nonsense=1"), 401)


def test_a_message_with_an_unknown_parameter_is_not_accepted(ledger: None) -> None:
    mail = {"from": "a@b.example", "to": ["c@d.example"], "text": "Hello"}
    for query, status in (("?lane=urgent", 422), ("?%C3%A9", 422), ("?", 202), ("", 202)):
        answer = everybody().client.post(
            f"/v1/messages{query}", json.dumps(mail), content_type="application/json"
        )
        assert answer.status_code == status
        if status == 422:
            assert "; it takes none" in problem(answer, 422)["detail"]
