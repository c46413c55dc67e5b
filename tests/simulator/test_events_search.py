"""Faces that list events to whoever asks: in pages, in order, and those whose post was lost too."""

import json
import time
from base64 import b64encode
from urllib.parse import urlsplit

import pytest

from postroom.simulator.faces import new_face_config
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Answer, Receiver, Running, call

KEY = "a key"


def running(start: Start, receiver: Receiver, provider: str) -> Running:
    """The face, where all notifications are lost, with three mails delivered."""
    receiver.status = 200
    entry = new_face_config(provider, receiver.url, api_key=KEY)
    simulator = start(faces={provider: entry})
    simulator.make_mischief(webhook_lose=1.0)
    return simulator


def everything_happened(simulator: Running, events: int) -> None:
    eventually(
        lambda: (
            sum(len(one.facts) for one in simulator.truth.copies.values()) == events
            and simulator.is_settled()
        )
    )


def mailgun(simulator: Running, path: str, body: bytes | None = None) -> Answer:
    login = b64encode(f"api:{KEY}".encode()).decode()
    form = "application/x-www-form-urlencoded"
    return call(
        f"{simulator.url}{path}", body, {"Authorization": f"Basic {login}", "Content-Type": form}
    )


def test_mailgun_lists_events_until_an_empty_page(start: Start, receiver: Receiver) -> None:
    simulator = running(start, receiver, "mailgun")
    mail = b"from=a@mg.example.org&subject=x&text=y&v:color=red"
    to = b"".join(b"&to=delivered%%2B%d@sim.example" % number for number in range(3))
    assert mailgun(simulator, "/v3/mg.example.org/messages", mail + to).status == 200
    everything_happened(simulator, 6)
    now = time.time()
    search = f"/v3/mg.example.org/events?begin={now - 60:.0f}&end={now + 60:.0f}"
    pages = [mailgun(simulator, f"{search}&ascending=yes&limit=4").json]
    while pages[-1]["items"]:
        following = urlsplit(pages[-1]["paging"]["next"]).path
        pages.append(mailgun(simulator, following).json)
    assert [len(page["items"]) for page in pages] == [4, 2, 0]
    told = [item for page in pages for item in page["items"]]
    assert sorted(item["event"] for item in told) == ["accepted"] * 3 + ["delivered"] * 3
    assert [item["timestamp"] for item in told] == sorted(item["timestamp"] for item in told)
    assert {item["user-variables"]["color"] for item in told} == {"red"}
    early = f"/v3/mg.example.org/events?begin=0&end={now - 60:.0f}&ascending=yes"
    assert mailgun(simulator, early).json["items"] == []


@pytest.mark.parametrize("query", ["begin=1&end=2&ascending=yes&limit=301", "begin=1&end=2", "/x"])
def test_mailgun_declines_a_search_that_is_none(
    start: Start, receiver: Receiver, query: str
) -> None:
    simulator = running(start, receiver, "mailgun")
    path = query if query.startswith("/") else f"?{query}"
    assert mailgun(simulator, f"/v3/mg.example.org/events{path}").status == 400


def test_sparkpost_lists_events_by_a_cursor(start: Start, receiver: Receiver) -> None:
    simulator = running(start, receiver, "sparkpost")
    body = {
        "recipients": [
            {"address": f"delivered+{number}@sim.example", "metadata": {"color": "red"}}
            for number in range(3)
        ],
        "content": {"from": "a@example.org", "subject": "x", "text": "y"},
    }
    key = {"Authorization": KEY}
    assert call(f"{simulator.url}/api/v1/transmissions", body, key).status == 200
    everything_happened(simulator, 6)
    window = "from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"
    following = f"/api/v1/events/message?cursor=initial&{window}&per_page=4"
    pages = []
    while following:
        pages.append(call(f"{simulator.url}{following}", headers=key).json)
        following = pages[-1]["links"].get("next")
    assert [len(page["results"]) for page in pages] == [4, 2]
    told = [result for page in pages for result in page["results"]]
    assert sorted(result["type"] for result in told) == ["delivery"] * 3 + ["injection"] * 3
    assert {json.dumps(result["rcpt_meta"]) for result in told} == {'{"color": "red"}'}
    assert all(result["timestamp"].endswith(".000Z") for result in told)


@pytest.mark.parametrize("query", ["", "?from=yesterday&to=today", "?from=2026-01-01"])
def test_sparkpost_declines_a_search_that_is_none(
    start: Start, receiver: Receiver, query: str
) -> None:
    simulator = running(start, receiver, "sparkpost")
    path = f"/api/v1/events/message{query}"
    assert call(f"{simulator.url}{path}", headers={"Authorization": KEY}).status == 400
