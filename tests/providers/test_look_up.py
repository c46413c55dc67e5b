"""Single mails are asked for within what a provider knows, and told in the webhooks' words."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.providers.base import Account, Heard, Unreadable
from postroom.providers.history import HistoryFailed, LookUp, Mail
from postroom.providers.registry import PROVIDERS
from postroom.providers.resend.events import TYPES as RESEND_TYPES
from postroom.providers.resend.look_up import FINAL, NOT_READ
from postroom.providers.sendgrid.events import SendGridReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check
from tests.scripted_api import ScriptedApi, scripted_api

FIXTURES = Path(__file__).parent / "fixtures"
HANDOVER = UUID("01935c1e-0000-7000-8000-000000000001")
OTHER = UUID("01935c1e-0000-7000-8000-000000000002")
BEGUN = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ASKING = ("resend", "sendgrid")
LISTS = {"resend": "emails", "sendgrid": "events"}
KEYS = {"api_key": "sending", "logs_api_key": "reading"}


def look_up(provider: str) -> LookUp:
    make = PROVIDERS[provider].make_history
    made = make() if make else None
    assert isinstance(made, LookUp)
    return made


def mail(id: str | None = "abc", recipient: str = "ann@example.com") -> Mail:
    return Mail(HANDOVER, recipient, id, BEGUN)


def ask(provider: str, at: ScriptedApi, *mails: Mail) -> bytes:
    """What is kept of the answers about these mails."""
    account = Account(1, "main", provider, False, {"endpoint": at.url} | KEYS)

    async def conversation() -> bytes:
        asking = look_up(provider)
        try:
            return await asking.ask(account, mails)
        finally:
            await asking.close()

    return asyncio.run(conversation())


def test_every_provider_that_looks_up_is_put_to_the_test() -> None:
    made = {name: one.make_history() for name, one in PROVIDERS.items() if one.make_history}
    assert sorted(name for name, one in made.items() if isinstance(one, LookUp)) == list(ASKING)


def posted() -> Iterator[dict[str, Any]]:
    """What SendGrid's webhook fixtures hold."""
    for path in sorted((FIXTURES / "sendgrid").glob("*.json")):
        yield from json.loads(path.read_bytes())


def logged(event: dict[str, Any]) -> dict[str, Any]:
    """The same event as the logs have it: our argument apart."""
    own = {name: told for name, told in event.items() if name != "postroom_handover"}
    return {**own, "custom_args": {"postroom_handover": event.get("postroom_handover")}}


def fact(heard: Heard) -> tuple[Any, ...]:
    """All that the identity of a fact is made of, and by what its delivery is found."""
    return (
        heard.type, heard.provider_type, heard.provider_class, heard.occurred_raw, heard.url,
        heard.reply_code, heard.enhanced_code, heard.diagnostic, heard.handover_id,
        heard.provider_message_id, heard.event_id,
    )  # fmt: skip


def test_an_event_of_sendgrids_logs_is_the_fact_that_was_pushed() -> None:
    pushed = list(posted())
    assert len(pushed) > 5
    body = json.dumps({"events": [logged(one) for one in pushed]}).encode()
    found = list(look_up("sendgrid").parse(body))
    told = SendGridReceiver().parse({}, json.dumps(pushed).encode())
    assert [fact(one) for one in found] == [fact(one) for one in told]
    place = found[1]
    assert json.loads(body[place.start : place.start + (place.length or 0)]) == logged(pushed[1])


@pytest.mark.parametrize(
    ("event", "type"), [("received", EventType.ACCEPTED), ("cancel_drop", EventType.REJECTED)]
)
def test_what_only_the_logs_tell_is_read_by_what_it_says(event: str, type: EventType) -> None:
    body = json.dumps({"events": [{"event": event, "timestamp": 1}]}).encode()
    assert [one.type for one in look_up("sendgrid").parse(body)] == [type]


QUERY = (
    'to_email = "ann@example.com"'
    ' AND sg_message_id_created_at >= TIMESTAMP "2026-11-24T09:29:00Z"'
    ' AND sg_message_id_created_at <= TIMESTAMP "2026-11-24T09:40:00Z"'
)


def event_of(id: UUID) -> dict[str, Any]:
    return {"event": "delivered", "timestamp": 1, "custom_args": {"postroom_handover": str(id)}}


def test_sendgrid_is_asked_for_the_mails_of_a_time_and_keeps_what_carries_our_id() -> None:
    listed = [{"sg_message_id": id} for id in ("abc.recvd-1", "abc.recvd-2", "other.recvd-1")]
    script: dict[str, Any] = {
        "POST /v3/logs": {"messages": listed},
        "GET /v3/logs/abc.recvd-1": {"events": [event_of(HANDOVER), event_of(OTHER)]},
        "GET /v3/logs/abc.recvd-2": (404, {"errors": []}),
    }
    with scripted_api(script) as api:
        body = ask("sendgrid", api, mail())
    assert json.loads(body)["events"] == [event_of(HANDOVER)]
    assert api.bodies[0] == {"query": QUERY, "limit": 20}
    assert api.asked == ["POST /v3/logs", "GET /v3/logs/abc.recvd-1", "GET /v3/logs/abc.recvd-2"]
    assert {one["Authorization"] for one in api.headers} == {"Bearer reading"}


def test_a_call_in_doubt_is_found_at_sendgrid_by_our_id_alone() -> None:
    known = {"custom_args": {"postroom_handover": str(HANDOVER)}, "events": [{"event": "open"}]}
    script: dict[str, Any] = {
        "POST /v3/logs": {"messages": [{"sg_message_id": "x.y"}]},
        "GET /v3/logs/x.y": known,
    }
    with scripted_api(script) as api:
        body = ask("sendgrid", api, mail(None))
    assert [one.handover_id for one in look_up("sendgrid").parse(body)] == [HANDOVER]


@pytest.mark.parametrize("recipient", ['"a b"@example.com', "a\\b@example.com"])
def test_an_address_that_would_end_the_text_of_the_search_is_not_asked_for(recipient: str) -> None:
    with scripted_api({}) as api:
        assert ask("sendgrid", api, mail(recipient=recipient)) == b""
        assert api.asked == []


def test_resend_is_asked_by_id_and_only_the_last_event_is_kept() -> None:
    found = {"id": "abc", "last_event": "bounced", "html": "<p>secret</p>", "to": ["x@x.example"]}
    with scripted_api({"GET /emails/abc": found}) as api:
        body = ask("resend", api, mail(), mail(None), mail("forgotten"))
    assert b"secret" not in body
    assert api.asked == ["GET /emails/abc", "GET /emails/forgotten"]
    (heard,) = look_up("resend").parse(body)
    assert (heard.type, heard.recipient, heard.handover_id, heard.provider_message_id) == (
        EventType.BOUNCED, "ann@example.com", HANDOVER, "abc",
    )  # fmt: skip
    assert (heard.occurred_at, heard.occurred_raw) == (None, "")


@pytest.mark.parametrize("last", sorted(NOT_READ))
def test_what_is_not_final_at_resend_tells_nothing_new(last: str) -> None:
    body = json.dumps({"emails": [{"last_event": last}]}).encode()
    assert list(look_up("resend").parse(body)) == []


def test_every_event_of_resend_is_either_read_or_not() -> None:
    assert {f"email.{last}" for last in FINAL.keys() | NOT_READ} >= RESEND_TYPES.keys()
    assert {last: RESEND_TYPES[f"email.{last}"] for last in FINAL} == FINAL


@pytest.mark.parametrize("provider", ASKING)
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
        with pytest.raises(HistoryFailed, match=why):
            ask(provider, api, mail())


@pytest.mark.parametrize("provider", ASKING)
def test_of_a_mail_that_is_not_known_nothing_is_stored(provider: str) -> None:
    with scripted_api({"POST /v3/logs": {"messages": []}}) as api:
        assert ask(provider, api, mail()) == b""


@pytest.mark.parametrize("provider", ASKING)
def test_no_hostile_body_raises_anything_but_unreadable(provider: str) -> None:
    for body in (*UNREADABLE, b"{}", b'{"emails": 1, "events": null}'):
        with pytest.raises(Unreadable):
            list(look_up(provider).parse(body))


@pytest.mark.parametrize("provider", ASKING)
@given(items=st.lists(VALUES | st.dictionaries(st.sampled_from(
    ["event", "timestamp", "custom_args", "reason", "last_event", "handover_id", "to", "id"]
), VALUES | st.sampled_from(["delivered", "received", "bounced"])), max_size=4))  # fmt: skip
def test_whatever_an_item_holds_can_be_stored_and_read(provider: str, items: list[Any]) -> None:
    body = json.dumps({LISTS[provider]: items}).encode()
    with suppress(Unreadable):
        for heard in look_up(provider).parse(body):
            check(heard, provider)
