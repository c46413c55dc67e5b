"""Submitting by HTTP: what is accepted, and what the ledger then holds."""

import json
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client

from postroom.ledger import keys
from postroom.submission import accept as accept_module
from tests.submission.conftest import Submit
from tests.submission.door import message_count, rows

BODY: dict[str, Any] = {
    "from": "Notices <notices@corp.example>",
    "to": ["ann@sim.example"],
    "subject": "Prices",
    "text": "The new prices.",
}


def answer(response: HttpResponse) -> Any:
    return json.loads(response.content)


def test_a_single_mail_is_accepted_with_202_and_is_in_the_ledger(submit: Submit) -> None:
    response = submit(BODY)
    assert response.status_code == 202
    told = answer(response)
    assert told["recipients"] == 1
    assert told["suppressed"] == 0
    assert [(one["email"], one["state"]) for one in told["deliveries"]] == [
        ("ann@sim.example", "queued")
    ]
    stored = rows("SELECT from_address, subject, door, simulated FROM message")
    assert stored == [("notices@corp.example", "Prices", "http", True)]
    assert rows("SELECT id FROM message") == [(UUID(told["message_id"]),)]


def test_the_body_is_stored_exactly_as_received(submit: Submit) -> None:
    raw = json.dumps(BODY, indent=3).encode() + b"\n \n"
    assert submit(raw=raw).status_code == 202
    [(stored,)] = rows("SELECT zlib FROM blob")
    assert isinstance(stored, bytes)
    assert zlib.decompress(stored) == raw


def test_every_field_of_the_call_is_taken(submit: Submit) -> None:
    now = datetime.now(UTC)
    response = submit(
        {
            "from": {"email": "notices@corp.example", "name": "Notices"},
            "to": [
                "ann@sim.example",
                {
                    "email": "bo@sim.example",
                    "name": "Bo",
                    "vars": {"first": "Bo", "n": 3, "ok": True, "part": 0.5},
                    "ref": "staff-1",
                    "metadata": {"cost": "77"},
                },
            ],
            "subject": "Prices",
            "text": "Hello",
            "html": "<p>Hello</p>",
            "reply_to": "desk@corp.example",
            "cc": ["Boss <boss@corp.example>"],
            "display_to": {"email": "all@corp.example", "name": "All"},
            "headers": {"X-Source": "crm", "List-Id": "<prices.corp.example>"},
            "attachments": [
                {
                    "filename": "prices.ics",
                    "content_type": "text/calendar; method=REQUEST",
                    "content": "QkVHSU4=",
                    "content_id": "a@b",
                }
            ],
            "communication": "price-change-2026-11",
            "lane": "urgent",
            "send_at": (now + timedelta(hours=1)).isoformat(),
            "expires_at": (now + timedelta(hours=2)).isoformat(),
            "track": {"opens": True, "clicks": False},
            "tags": ["prices"],
            "metadata": {"by": "crm"},
            "on_doubt": "hold",
            "notify": {"url": "https://crm.corp.example/hook", "states": ["delivered"]},
        }
    )
    assert response.status_code == 202, response.content
    assert answer(response)["communication"] == "price-change-2026-11"
    assert rows("SELECT stage, ref, vars FROM delivery ORDER BY recipient") == [
        ("scheduled", None, None),
        ("scheduled", "staff-1", {"first": "Bo", "n": "3", "ok": "true", "part": "0.5"}),
    ]
    assert rows("SELECT lane, on_doubt, tags, metadata, notify FROM message") == [
        (
            0,
            "hold",
            ["prices"],
            {"by": "crm"},
            {"url": "https://crm.corp.example/hook", "states": ["delivered"]},
        )
    ]


def test_an_invalid_recipient_becomes_a_rejected_delivery_and_the_others_go(
    submit: Submit,
) -> None:
    response = submit({**BODY, "to": ["ann@sim.example", "not an address", "bo@sim.example"]})
    assert response.status_code == 202
    states = {one["email"]: one["state"] for one in answer(response)["deliveries"]}
    assert states == {
        "ann@sim.example": "queued",
        "not an address": "rejected",
        "bo@sim.example": "queued",
    }
    [(reason, text)] = rows("SELECT reason, reason_text FROM delivery WHERE stage = 'rejected'")
    assert reason == "address_syntax"
    assert text


def test_recipients_that_are_one_mailbox_get_one_delivery_and_the_first_wins(
    submit: Submit,
) -> None:
    to = [{"email": "Ann@sim.example", "ref": "1"}, {"email": "ann@SIM.example", "ref": "2"}]
    told = answer(submit({**BODY, "to": to}))
    assert (told["recipients"], told["duplicates"]) == (1, 1)
    assert rows("SELECT ref FROM delivery") == [("1",)]


def test_a_recipient_without_a_field_of_the_template_is_rejected_and_the_others_go(
    submit: Submit,
) -> None:
    to = [
        {"email": "ann@sim.example", "vars": {"first": "Ann"}},
        {"email": "bo@sim.example", "vars": {"last": "Bo"}},
    ]
    assert submit({**BODY, "to": to, "html": "<p>{{ first }}</p>"}).status_code == 202
    assert rows("SELECT recipient, stage, reason, reason_text FROM delivery ORDER BY 1") == [
        ("ann@sim.example", "queued", None, None),
        (
            "bo@sim.example",
            "rejected",
            "render_failed",
            "no value in vars for the template field: first",
        ),
    ]


def test_a_team_key_reaches_its_allow_list_and_others_are_rejected(submit: Submit) -> None:
    team = keys.create_key("team", "team", ["send"], allow_list=["dev@sim.example", "qa.example"])
    to = ["DEV@sim.example", "x@qa.example", "ann@sim.example"]
    assert submit({**BODY, "to": to}, bearer=team.key).status_code == 202
    assert rows("SELECT recipient, reason FROM delivery ORDER BY recipient") == [
        ("DEV@sim.example", None),
        ("ann@sim.example", "policy_refused"),
        ("x@qa.example", None),
    ]


def test_a_send_at_within_the_clock_tolerance_means_now(submit: Submit) -> None:
    moment_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    assert submit({**BODY, "send_at": moment_ago}).status_code == 202
    assert rows("SELECT stage FROM delivery") == [("queued",)]


@pytest.mark.parametrize(("lane", "on_doubt"), [("urgent", "resend"), ("normal", "hold")])
def test_what_happens_on_doubt_follows_the_lane(submit: Submit, lane: str, on_doubt: str) -> None:
    assert submit({**BODY, "lane": lane}).status_code == 202
    assert rows("SELECT on_doubt FROM message") == [(on_doubt,)]


def test_a_canary_lets_a_part_go_first_and_holds_the_rest(submit: Submit) -> None:
    people = [f"p{number}@sim.example" for number in range(100)]
    told = answer(submit(BODY | {"to": people, "canary": {"share": 0.25}}))
    states = Counter(one["state"] for one in told["deliveries"])
    assert states == {"queued": 25, "held": 75}
    assert rows("SELECT share, wait_s, bounces_max FROM canary") == [(0.25, 900.0, 0.05)]


@pytest.mark.parametrize(
    "canary", [{"share": 0}, {"share": 1}, {"wait_s": 0}, {"bounces_max": 2}, {"odd": 1}, 5]
)
def test_a_canary_that_makes_no_sense_is_refused(submit: Submit, canary: object) -> None:
    assert submit(BODY | {"canary": canary}).status_code == 422


def test_the_same_key_and_body_give_the_same_answer_in_any_layout(submit: Submit) -> None:
    first = submit(BODY, **{"Idempotency-Key": "order-1"})
    again = submit(
        raw=json.dumps(dict(reversed(BODY.items())), indent=2).encode(),
        **{"Idempotency-Key": "order-1"},
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert answer(first) == answer(again)
    assert message_count() == 1


def test_a_repeat_gets_the_same_answer_after_its_send_at_has_passed(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    body = {**BODY, "send_at": (now + timedelta(hours=1)).isoformat()}
    first = submit(body, **{"Idempotency-Key": "order-1"})
    monkeypatch.setattr(accept_module, "utc_now", lambda: now + timedelta(days=1))
    assert answer(submit(body, **{"Idempotency-Key": "order-1"})) == answer(first)
    assert submit(body, **{"Idempotency-Key": "order-2"}).status_code == 422
    other = {**body, "subject": "Other"}
    assert submit(other, **{"Idempotency-Key": "order-1"}).status_code == 409
    assert message_count() == 1


def test_the_same_key_with_another_body_is_409(submit: Submit) -> None:
    submit(BODY, **{"Idempotency-Key": "order-1"})
    response = submit({**BODY, "subject": "Other"}, **{"Idempotency-Key": "order-1"})
    assert response.status_code == 409
    assert message_count() == 1


def test_a_live_key_sends_from_its_own_domains_only(submit: Submit) -> None:
    live = keys.create_key("field", "live", ["send"], ["corp.example", ".sub.example"])
    assert submit(BODY, bearer=live.key).status_code == 202
    assert submit({**BODY, "from": "a@x.sub.example"}, bearer=live.key).status_code == 202
    for sender in ("a@other.example", "a@x.corp.example", "a@sub.example"):
        assert submit({**BODY, "from": sender}, bearer=live.key).status_code == 403
    assert rows("SELECT DISTINCT simulated FROM message") == [(False,)]


def test_more_than_a_thousand_recipients_are_counted_and_not_listed(submit: Submit) -> None:
    to = [f"p{number}@sim.example" for number in range(1001)]
    told = answer(submit({**BODY, "to": to}))
    assert (told["recipients"], told["deliveries"]) == (1001, [])


@pytest.mark.parametrize(("verb", "word"), [("cancel", "cancelled"), ("hold", "held")])
def test_what_is_not_handed_over_can_be_stopped_by_its_own_application(
    submit: Submit, key: keys.NewKey, verb: str, word: str
) -> None:
    message_id = answer(submit(BODY))["message_id"]
    path = f"/v1/messages/{message_id}/{verb}"
    stranger = keys.create_key("other", "test", ["send"])
    assert _post(path, stranger.key).status_code == 404
    response = _post(path, key.key)
    assert (response.status_code, answer(response)[word]) == (200, 1)
    assert rows("SELECT stage FROM delivery") == [(word,)]


def test_held_deliveries_go_on_when_released(submit: Submit, key: keys.NewKey) -> None:
    message_id = answer(submit(BODY))["message_id"]
    _post(f"/v1/messages/{message_id}/hold", key.key)
    response = _post(f"/v1/messages/{message_id}/release", key.key)
    assert answer(response)["released"] == 1
    assert rows("SELECT stage FROM delivery") == [("queued",)]


def test_a_key_that_only_reads_cannot_cancel(submit: Submit) -> None:
    message_id = answer(submit(BODY))["message_id"]
    reader = keys.create_key("field", "test", ["read"])
    assert _post(f"/v1/messages/{message_id}/cancel", reader.key).status_code == 403


def _post(path: str, bearer: str) -> HttpResponse:
    response = Client().post(path, headers={"Authorization": f"Bearer {bearer}"})
    assert isinstance(response, HttpResponse)
    return response


def test_the_answer_says_what_is_odd_about_an_address_and_takes_it(submit: Submit) -> None:
    body = {"from": "a@corp.example", "subject": "S", "text": "T"}
    answer = submit({**body, "to": ["ann@gmial.com", "bo@sim.example"]})
    told = json.loads(answer.content)
    assert [one["state"] for one in told["deliveries"]] == ["queued", "queued"]
    assert told["hints"] == [
        {"email": "ann@gmial.com", "about": "typo", "suggestion": "ann@gmail.com"}
    ]
