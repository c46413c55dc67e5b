"""Lane urgent at the doors: who may ask for it, and what is told to whoever asks for too much."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from postroom.ledger import db, keys
from tests.submission.conftest import Submit
from tests.submission.door import MAIL, Door, message_count, rows
from tests.submission.test_smtp_refusals import plain

BODY: dict[str, Any] = {
    "from": "Notices <notices@corp.example>",
    "to": ["ann@sim.example", "bo@sim.example"],
    "subject": "Prices",
    "text": "The new prices.",
    "lane": "urgent",
}
URGENT_MAIL = b"X-Postroom-Lane: Urgent\r\n" + MAIL


def answer(response: HttpResponse) -> Any:
    return json.loads(response.content)


def live(*scopes: str) -> keys.NewKey:
    return keys.create_key("field", "live", scopes, ["corp.example"])


def test_lane_urgent_needs_the_scope_of_that_name(submit: Submit) -> None:
    for lane, scopes, status in (
        ("urgent", ("send",), 403),
        ("urgent", ("urgent",), 403),
        ("urgent", ("send", "urgent"), 202),
        ("normal", ("send",), 202),
        ("bulk", ("send",), 202),
    ):
        key = keys.create_key("field", "test", scopes)
        assert submit({**BODY, "lane": lane}, bearer=key.key).status_code == status
    refused = submit(BODY, bearer=keys.create_key("field", "test", ["send"]).key)
    assert answer(refused)["detail"] == "this key has no scope urgent, which lane urgent needs"


def test_the_answer_names_the_lane_in_which_the_message_goes(submit: Submit) -> None:
    for lane in ("urgent", "normal", "bulk"):
        told = answer(submit({**BODY, "lane": lane}))
        assert (told["lane"], told["notes"]) == (lane, [])


@override_settings(POSTROOM_URGENT_PER_DAY=3)
def test_what_exceeds_the_quota_goes_as_normal_and_every_answer_says_so(submit: Submit) -> None:
    key = live("send", "urgent", "read")
    first, second, again = (
        answer(submit(BODY, bearer=key.key, **{"Idempotency-Key": name})) for name in "abb"
    )
    assert (first["lane"], first["notes"]) == ("urgent", [])
    assert (second["lane"], len(second["notes"])) == ("normal", 1)
    assert again == second
    assert rows("SELECT DISTINCT message_id::text, lane FROM delivery ORDER BY lane") == [
        (first["message_id"], 0),
        (second["message_id"], 1),
    ]
    read = Client(headers={"Authorization": f"Bearer {key.key}"})
    found = read.get(f"/v1/messages/{second['message_id']}").json()
    assert (found["lane"], found["notes"]) == ("normal", second["notes"])


@override_settings(POSTROOM_URGENT_PER_DAY=0)
def test_test_keys_use_no_quota_up(submit: Submit) -> None:
    assert answer(submit(BODY))["lane"] == "urgent"


def test_a_key_without_the_scope_is_refused_at_the_end_of_data(submission_door: Door) -> None:
    key = keys.create_key("field", "test", ["send"])
    with submission_door.talk() as talk:
        talk.say("EHLO c", f"AUTH PLAIN {plain(key.id, key.secret)}")
        reply = talk.mail(URGENT_MAIL)
        assert reply == "550 5.7.1 this key has no scope urgent, which lane urgent needs"
        assert talk.mail(MAIL).startswith("250 2.0.0 ")


@override_settings(POSTROOM_URGENT_PER_DAY=1)
def test_the_250_tells_that_a_mail_goes_as_normal(submission_door: Door) -> None:
    key = live("send", "urgent")
    with submission_door.talk() as talk:
        talk.say("EHLO c", f"AUTH PLAIN {plain(key.id, key.secret)}")
        first, second = talk.mail(URGENT_MAIL), talk.mail(URGENT_MAIL)
    assert "urgent" not in first
    assert second.startswith("250 2.0.0 Accepted as ")
    assert "; asked for urgent, goes as normal: " in second
    assert rows("SELECT lane, asked_lane FROM message ORDER BY id") == [(0, None), (1, 0)]


@pytest.mark.parametrize(("allowed", "code"), [(False, "550 5.7.1"), (True, "250 2.0.0")])
def test_relayed_mail_is_urgent_only_where_its_application_may(
    relay_door: Door, allowed: bool, code: str
) -> None:
    with db.transaction() as conn:
        conn.execute("UPDATE application SET relay_urgent = %s", (allowed,))
    with relay_door.talk() as talk:
        reply = talk.mail(URGENT_MAIL)
    assert reply.startswith(code)
    assert ("the relayed mail of legacy may not use lane urgent" in reply) is not allowed
    assert message_count() == allowed
