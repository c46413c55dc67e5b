"""Pause and resume by HTTP: who may, what waits, and where it is seen."""

from typing import Any

import pytest
from django.test import Client

from postroom.ledger import keys, queue
from postroom.ledger.pauses import pause_application
from postroom.ledger.queue import Claimed
from tests.submission.conftest import Submit
from tests.submission.test_http_accept import BODY

PAUSE = "/v1/communications/news/pause"
RESUME = "/v1/communications/news/resume"


def somebody(*scopes: str, application: str = "field") -> Client:
    key = keys.create_key(application, "test", scopes).key
    return Client(headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def news(submit: Submit) -> None:
    """One mail of the communication `news`."""
    assert submit({**BODY, "communication": "news"}).status_code == 202


def claim() -> list[Claimed]:
    return queue.claim([True], 10, 60)


def paused_at(client: Client) -> list[Any]:
    """As the list of communications and the report show it."""
    (listed,) = client.get("/v1/communications").json()["items"]
    report = client.get("/v1/communications/news/report").json()
    return [listed["paused_at"], report["paused_at"]]


@pytest.mark.usefixtures("news")
def test_a_paused_communication_waits_until_it_is_resumed() -> None:
    client = somebody("send", "read")
    assert paused_at(client) == [None, None]
    for changed in (True, False):
        answer = client.post(PAUSE)
        assert answer.status_code == 200
        assert answer.json() == {"communication": "news", "paused": True, "changed": changed}
    since, reported = paused_at(client)
    assert since == reported
    assert since.endswith("Z")
    assert claim() == []
    for changed in (True, False):
        told = client.post(RESUME).json()
        assert told == {"communication": "news", "paused": False, "changed": changed}
    assert paused_at(client) == [None, None]
    assert len(claim()) == 1


@pytest.mark.usefixtures("news")
def test_a_communication_whose_application_is_paused_is_shown_as_paused() -> None:
    client = somebody("manage", "read")
    pause_application("field", True)
    assert all(paused_at(client))
    assert client.post(RESUME).json()["changed"] is False
    assert claim() == [], "its application is still paused"


@pytest.mark.usefixtures("news")
def test_one_of_the_scopes_send_and_manage_is_needed() -> None:
    for scopes, status in (
        (("read",), 403),
        (("urgent",), 403),
        (("send",), 200),
        (("manage",), 200),
    ):
        assert somebody(*scopes).post(PAUSE).status_code == status


@pytest.mark.usefixtures("news")
def test_a_communication_of_another_application_is_as_one_that_is_not_there() -> None:
    stranger = somebody("send", "manage", application="other")
    for path in (PAUSE, RESUME, "/v1/communications/NEWS/pause", "/v1/communications/%00/resume"):
        answer = stranger.post(path)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
    assert len(claim()) == 1


@pytest.mark.usefixtures("news")
def test_mail_of_a_paused_communication_is_accepted_and_waits(submit: Submit) -> None:
    somebody("send").post(PAUSE)
    assert submit({**BODY, "communication": "news"}).status_code == 202
    assert claim() == []
    somebody("send").post(RESUME)
    assert len(claim()) == 2
