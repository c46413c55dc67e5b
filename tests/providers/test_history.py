"""Events that a provider is asked for are the facts that its notifications told."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.providers.base import Account, Heard, Unreadable
from postroom.providers.brevo.events import TYPES as BREVO_TYPES
from postroom.providers.brevo.history import NAMES
from postroom.providers.history import History, HistoryFailed, LookUp, Page
from postroom.providers.registry import PROVIDERS
from tests.providers.event_checks import UNREADABLE, VALUES, check
from tests.scripted_api import ScriptedApi, scripted_api

FIXTURES = Path(__file__).parent / "fixtures"
SINCE = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
UNTIL = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ASKABLE = sorted(
    name
    for name, one in PROVIDERS.items()
    if one.make_history and not isinstance(one.make_history(), LookUp)
)
KEYS = {"api_key": "k", "domain": "mg.example.org", "server_token": "t"}


def history(provider: str) -> History:
    make = PROVIDERS[provider].make_history
    made = make() if make else None
    assert made is not None
    assert not isinstance(made, LookUp)
    return made


def ask(provider: str, at: ScriptedApi, *places: str | None, **settings: str) -> list[Page]:
    """The pages at these places."""
    account = Account(1, "main", provider, False, {"endpoint": at.url} | KEYS | settings)

    async def conversation() -> list[Page]:
        asking = history(provider)
        try:
            return [await asking.page(account, SINCE, UNTIL, place) for place in places]
        finally:
            await asking.close()

    return asyncio.run(conversation())


def fact(heard: Heard) -> tuple[Any, ...]:
    """All that the identity of a fact is made of."""
    return (
        heard.type, heard.provider_type, heard.provider_class, heard.occurred_raw, heard.url,
        heard.reply_code, heard.enhanced_code, heard.diagnostic,
    )  # fmt: skip


def pushed(provider: str) -> list[tuple[Any, Heard]]:
    """What the fixtures post, and how it is read."""
    receiver = PROVIDERS[provider].receiver
    assert receiver is not None
    found = []
    for path in sorted((FIXTURES / provider).glob("*.json")):
        posts = json.loads(path.read_bytes())
        for post in posts if isinstance(posts, list) else [posts]:
            found += [(post, one) for one in receiver.parse({}, json.dumps(post).encode())]
    return found


def mailgun_item(post: Any) -> Any:
    return post.get("event-data")


def sparkpost_item(post: Any) -> Any:
    inner = next(iter(post["msys"].values()))
    stamp = inner.get("timestamp", "")
    if stamp.isdigit():
        at = datetime.fromtimestamp(int(stamp), UTC)
        return {**inner, "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    return None


def brevo_item(post: Any) -> Any:
    words = {word: name for name, word in NAMES.items()}
    if post["event"] not in words or "ts_event" not in post:
        return None
    at = datetime.fromtimestamp(post["ts_event"], UTC)
    return {
        "event": words[post["event"]],
        "email": post["email"],
        "date": at.strftime("%Y-%m-%dT%H:%M:%S.000+00:00"),
        "messageId": post["message-id"],
        "reason": post.get("reason"),
        "link": post.get("link"),
    }


def postmark_item(post: Any) -> Any:
    """Bounces and complaints; deliveries are told in another way."""
    if post.get("RecordType") not in ("Bounce", "SpamComplaint"):
        return None
    at, _, digits = post["BouncedAt"].removesuffix("Z").partition(".")
    eastern = datetime.fromisoformat(at) - timedelta(hours=5)
    left_out = ("RecordType", "Metadata")
    item = {name: told for name, told in post.items() if name not in left_out}
    return {**item, "BouncedAt": f"{eastern.isoformat()}.{digits}-05:00"}


ITEMS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "mailgun": ("items", mailgun_item),
    "sparkpost": ("results", sparkpost_item),
    "brevo": ("events", brevo_item),
    "postmark": ("Bounces", postmark_item),
}
NAMING = ("mailgun", "sparkpost")
"""Whose lists of events carry our id."""


def test_every_provider_that_is_asked_is_put_to_the_test() -> None:
    assert set(ASKABLE) == set(ITEMS)


@pytest.mark.parametrize("provider", ASKABLE)
def test_a_pulled_event_is_the_fact_that_was_pushed(provider: str) -> None:
    name, as_item = ITEMS[provider]
    told = [(as_item(post), heard) for post, heard in pushed(provider)]
    told = [(item, heard) for item, heard in told if item is not None]
    assert len(told) > 5
    body = json.dumps({name: [item for item, _ in told]}).encode()
    pulled = list(history(provider).parse(body))
    assert [fact(one) for one in pulled] == [fact(heard) for _, heard in told]
    assert [one.provider_message_id for one in pulled] == [h.provider_message_id for _, h in told]
    if provider in NAMING:
        assert [one.handover_id for one in pulled] == [heard.handover_id for _, heard in told]
    places = [json.loads(body[one.start : one.start + (one.length or 0)]) for one in pulled]
    assert places == [item for item, _ in told]


def test_brevos_report_and_webhooks_use_two_words_for_each_event() -> None:
    assert set(NAMES.values()) <= set(BREVO_TYPES)


def test_mailgun_is_asked_page_by_page_until_an_empty_one() -> None:
    first = "/v3/mg.example.org/events?begin=1795471200&end=1795512601&ascending=yes&limit=300"
    item = {"event": "delivered", "timestamp": 1.5}
    with scripted_api({}) as api:
        following = {"next": f"{api.url}/v3/mg.example.org/events/W3siYiI6MX0="}
        api.script |= {
            f"GET {first}": {"items": [item], "paging": following},
            "GET /v3/mg.example.org/events/W3siYiI6MX0=": {"items": [], "paging": following},
        }
        pages = ask("mailgun", api, None, "W3siYiI6MX0=", account_api_key="own")
    assert [page.place for page in pages] == ["W3siYiI6MX0=", None]
    assert json.loads(pages[0].body)["items"] == [item]
    assert pages[1].body == b""
    assert api.headers[0]["Authorization"] == "Basic YXBpOm93bg=="


def test_an_address_of_the_next_page_elsewhere_is_not_followed() -> None:
    first = "/v3/mg.example.org/events?begin=1795471200&end=1795512601&ascending=yes&limit=300"
    evil = {"items": [{"event": "x"}], "paging": {"next": "https://evil.example/v3/x/events/../t?"}}
    with scripted_api({f"GET {first}": evil}) as api:
        (page,) = ask("mailgun", api, None)
    assert page.place == "t"


@pytest.mark.parametrize("in_list", [False, True])
def test_sparkpost_is_asked_by_a_cursor(in_list: bool) -> None:
    asked = "from=2026-11-23T22:00:00Z&to=2026-11-24T09:30:01Z&per_page=1000"
    link = "/api/v1/events/message?cursor=WycxNzUw%3D&per_page=1000"
    links: Any = [{"rel": "next", "href": link}] if in_list else {"next": link}
    script = {
        f"GET /api/v1/events/message?cursor=initial&{asked}": {
            "results": [{"type": "delivery"}], "links": links, "total_count": 2,
        },
        f"GET /api/v1/events/message?cursor=WycxNzUw%3D&{asked}": {
            "results": [{"type": "delivery"}], "links": {}, "total_count": 2,
        },
    }  # fmt: skip
    with scripted_api(script) as api:
        pages = ask("sparkpost", api, None, "WycxNzUw=")
    assert [page.place for page in pages] == ["WycxNzUw=", None]
    assert api.headers[0]["Authorization"] == "k"


def test_brevo_is_asked_by_day_with_the_oldest_first() -> None:
    asked = "startDate=2026-11-23&endDate=2026-11-24&limit=2500"
    full = [{"event": "delivered", "date": "2026-11-24T08:00:00.000+00:00"}] * 2500
    late = [{"event": "delivered", "date": "2026-11-24T10:00:00.000+00:00"}] * 2500
    path = "GET /v3/smtp/statistics/events"
    script = {
        f"{path}?{asked}&offset=0&sort=asc": {"events": full},
        f"{path}?{asked}&offset=2500&sort=asc": {"events": late},
        f"{path}?{asked}&offset=5000&sort=asc": {},
    }
    with scripted_api(script) as api:
        pages = ask("brevo", api, None, "2500", "5000")
    assert [page.place for page in pages] == ["2500", None, None]
    assert pages[2].body == b""
    assert api.headers[0]["api-key"] == "k"


@pytest.mark.parametrize("provider", ASKABLE)
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, {"message": "no"}), "refuses the credentials"),
        ((429, {"message": "slow down"}), "answered 429"),
        ((200, ["something else"]), "not the one that is documented"),
    ],
)
def test_whatever_is_wrong_is_told_as_one_error(provider: str, answer: Any, why: str) -> None:
    with scripted_api({}) as api:
        api.otherwise = answer
        if (
            provider == "brevo" and answer[0] == 200
        ):  # where nothing happened it leaves the list out
            assert ask(provider, api, None) == [Page(b"", None)]
            return
        with pytest.raises(HistoryFailed, match=why):
            ask(provider, api, None)


def test_the_wait_that_the_provider_asks_for_is_told() -> None:
    from postroom.providers.base import Reply, ReplyKind
    from postroom.providers.history import _failed

    later = Reply(ReplyKind.TRY_LATER, 429, {"retry-after": "90"}, b"")
    assert _failed(later).retry_after_s == 90
    assert _failed(Reply(ReplyKind.TRY_LATER, 429, {"retry-after": "soon"})).retry_after_s is None


@pytest.mark.parametrize("provider", ASKABLE)
def test_no_hostile_body_raises_anything_but_unreadable(provider: str) -> None:
    for body in (*UNREADABLE, b"{}", b'{"items": 1, "results": {}, "events": null}'):
        with pytest.raises(Unreadable):
            list(history(provider).parse(body))


@pytest.mark.parametrize("provider", ASKABLE)
@given(items=st.lists(VALUES | st.dictionaries(st.sampled_from(
    ["event", "type", "timestamp", "date", "reason", "rcpt_meta", "delivery-status", "messageId"]
), VALUES), max_size=4))  # fmt: skip
def test_whatever_an_item_holds_can_be_stored_and_read(provider: str, items: list[Any]) -> None:
    body = json.dumps({ITEMS[provider][0]: items}).encode()
    with suppress(Unreadable):
        for heard in history(provider).parse(body):
            check(heard, provider)
