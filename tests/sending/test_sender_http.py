"""The sender with a provider's JSON road: every kind of answer, on real sockets and PostgreSQL."""

import json
import re
from collections import Counter
from dataclasses import replace

import pytest

from postroom.domain.lane import Lane
from postroom.ledger import accounts
from tests.fake_provider import TAKEN, Asked, FakeProvider, Says, fake_provider, refusing
from tests.helpers import eventually
from tests.sending.posting import (
    PACE,
    add_account,
    attempts,
    people,
    post_http,
    reasons,
    rows,
    sending,
    stages,
)

pytestmark = pytest.mark.usefixtures("ledger")


def test_a_broadcast_is_taken_and_every_copy_shows_its_own_recipient_alone() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(250), text="Dear {{ name }}")
        with sending():
            eventually(lambda: stages() == {"submitted": 250})
    shown = [one["to"] for asked in provider.asked for one in asked.body["personalizations"]]
    assert all(len(to) == 1 for to in shown)
    assert sorted(to[0]["email"] for to in shown) == people(250)
    assert sorted(provider.taken) == people(250)


def test_the_attempt_keeps_road_answer_and_the_providers_message_id() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(3))
        with sending():
            eventually(lambda: stages() == {"submitted": 3})
    assert rows("SELECT road, recipients, outcome, response_status FROM attempt") == [
        ("sendgrid", 3, "taken", 202)
    ]
    assert rows("SELECT DISTINCT provider_message_id FROM attempt") == [("sg-1",)]


def test_the_attempt_is_committed_before_the_call() -> None:
    open_attempts: list[int] = []

    def look(asked: Asked) -> Says:
        ((count,),) = rows("SELECT count(*) FROM attempt WHERE ended_at IS NULL")
        open_attempts.append(count)
        return TAKEN

    with fake_provider(look) as provider:
        add_account(provider)
        post_http(people(1))
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    assert open_attempts == [1]


def test_what_travels_is_the_hand_over_id_and_nothing_else_of_ours() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(1), metadata={"order": "secret"}, tags=["internal"])
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    (one,) = provider.asked[0].body["personalizations"]
    ((handover,),) = rows("SELECT id FROM handover")
    assert one["custom_args"] == {"postroom_handover": str(handover)}
    assert "secret" not in json.dumps(provider.asked[0].body)


def test_batches_are_no_larger_than_the_setting() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(100))
        with sending(replace(PACE, batch_max=20)):
            eventually(lambda: stages() == {"submitted": 100})
    assert max(len(asked.recipients) for asked in provider.asked) <= 20


def test_a_provider_that_asks_to_wait_is_asked_again_when_it_said() -> None:
    def once(asked: Asked) -> Says:
        return Says(429, headers={"Retry-After": "1"}) if asked.number == 1 else TAKEN

    with fake_provider(once) as provider:
        add_account(provider)
        post_http(people(2), made={"lane": Lane.URGENT})
        with sending():
            eventually(lambda: stages() == {"submitted": 2})
    first, second = rows("SELECT outcome, response_status, begun_at FROM attempt ORDER BY begun_at")
    assert first[:2] == ("not_taken", 429)
    assert (second[2] - first[2]).total_seconds() >= 1


def test_while_an_account_rests_no_other_mail_is_sent_by_it() -> None:
    with fake_provider(lambda _asked: Says(429, headers={"Retry-After": "60"})) as provider:
        add_account(provider)
        post_http(people(1))
        with sending():
            eventually(lambda: attempts() and stages() == {"queued": 1})
            post_http(["late@example.org"])
            post_http(["later@example.org"])
    assert len(provider.asked) == 1
    assert stages() == {"queued": 3}


def test_a_named_recipient_is_rejected_alone_and_the_others_go_again_together() -> None:
    guilty = people(10)[3]
    with fake_provider(refusing(guilty, named=True)) as provider:
        add_account(provider)
        post_http(people(10))
        with sending(replace(PACE, claim_max=10)):
            eventually(lambda: stages() == {"submitted": 9, "rejected": 1})
    asked = [call.recipients for call in provider.asked]
    assert [guilty in call for call in asked].count(True) == 1
    assert Counter(provider.taken) == Counter(set(people(10)) - {guilty})
    assert list(reasons()) == [guilty]


def test_halving_finds_the_guilty_one_of_a_hundred_in_the_fewest_calls() -> None:
    guilty = people(100)[77]
    with fake_provider(refusing(guilty)) as provider:
        add_account(provider)
        post_http(people(100))
        with sending():
            eventually(lambda: stages() == {"submitted": 99, "rejected": 1})
    # Each refusal of the part with the guilty one makes two calls of half its size.
    sizes = [len(asked.recipients) for asked in provider.asked if guilty in asked.recipients]
    assert sizes == [100, 50, 25, 13, 7, 4, 2, 1]
    assert len(provider.asked) == 1 + 2 * 7
    assert Counter(provider.taken) == Counter(set(people(100)) - {guilty})
    assert reasons() == {guilty: "provider_refused"}
    outcomes = Counter(outcome for _, _, outcome, _, _ in attempts())
    assert outcomes == {"taken": 7, "not_taken": 7, "refused": 1}


def test_a_refused_single_keeps_the_providers_own_words() -> None:
    with fake_provider(lambda _asked: Says(400, '{"errors":[{"message":"Nope"}]}')) as provider:
        add_account(provider)
        post_http(people(1))
        with sending():
            eventually(lambda: stages() == {"rejected": 1})
    ((text, code),) = rows("SELECT reason_text, reply_code FROM handover")
    assert "Nope" in text
    assert code == 400


def test_a_lost_answer_leaves_the_outcome_unknown_and_nothing_is_sent_again() -> None:
    with fake_provider(lambda _asked: Says(None)) as provider:
        add_account(provider)
        post_http(people(5))
        with sending():
            eventually(lambda: stages() == {"indeterminate": 5})
    assert len(provider.asked) == 1
    assert rows("SELECT outcome FROM attempt") == [("unknown",)]


def test_an_answer_that_never_comes_leaves_the_outcome_unknown() -> None:
    with fake_provider(lambda _asked: Says(after_s=30)) as provider:
        add_account(provider)
        post_http(people(1))
        with sending(replace(PACE, call_timeout_s=0.5)):
            eventually(lambda: stages() == {"indeterminate": 1})
    ((error,),) = rows("SELECT error FROM attempt")
    assert "timed out" in error


def test_refused_credentials_stop_the_account_and_its_mail_stays_queued() -> None:
    with fake_provider(lambda _asked: Says(401, '{"errors":[]}')) as provider:
        add_account(provider)
        post_http(people(3))
        with sending():
            eventually(lambda: not accounts.usable(True))
            eventually(lambda: stages() == {"queued": 3})
        assert len(provider.asked) == 1
        stopped = accounts.by_name("account")
    assert stopped is not None
    assert stopped.stopped_why is not None
    assert stopped.stopped_why.startswith("401")


def test_mail_of_a_restarted_account_goes_on() -> None:
    provider = FakeProvider()
    provider.answer = lambda asked: Says(401) if asked.number == 1 else TAKEN
    with fake_provider(provider.answer) as running:
        add_account(running)
        post_http(people(1), made={"lane": Lane.URGENT})
        with sending():
            eventually(lambda: not accounts.usable(True))
            account = accounts.by_name("account")
            assert account is not None
            accounts.restart(account.id)
            eventually(lambda: stages() == {"submitted": 1})


def test_a_provider_that_is_not_reachable_costs_no_mail() -> None:
    add_account(FakeProvider(port=1))
    post_http(people(2))
    with sending():
        eventually(lambda: attempts() and stages() == {"queued": 2})
    assert next(outcome for _, _, outcome, _, _ in attempts()) == "not_taken"


def test_mail_of_a_kind_without_an_account_waits_in_the_queue() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(1), made={"simulated": False})
        post_http(["seen@example.org"])
        with sending():
            eventually(lambda: stages() == {"submitted": 1, "queued": 1})
    assert provider.taken == ["seen@example.org"]


def test_a_recipient_without_a_value_for_a_field_ends_alone() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(2), text="{{ name }} owes {{ amount }}")
        post_http(["fine@example.org"], text="{{ name }}")
        with sending():
            eventually(lambda: stages() == {"rejected": 2, "submitted": 1})
    assert set(reasons().values()) == {"render_failed"}


def test_a_mail_that_shows_others_is_held_where_no_road_can_carry_it() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(2), cc=["boss@example.com"])
        with sending():
            eventually(lambda: stages() == {"held": 2})
    assert set(reasons().values()) == {"needs_raw_carrier"}
    assert provider.asked == []


def test_a_message_that_cannot_be_read_is_held_and_an_alarm_is_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(2), made={"submission": b"not json"})
        post_http(["fine@example.org"])
        with sending():
            eventually(lambda: stages() == {"held": 2, "submitted": 1})
    assert any(re.match("ALARM message .* cannot be composed", one) for one in caplog.messages)


def test_urgent_mail_does_not_wait_for_a_broadcast_that_hangs() -> None:
    def hang(asked: Asked) -> Says:
        return TAKEN if asked.recipients == ["urgent@example.org"] else Says(after_s=20)

    with fake_provider(hang) as provider:
        add_account(provider)
        for number in range(12):
            post_http(people(3), subject=str(number), made={"lane": Lane.BULK})
        with sending(replace(PACE, call_timeout_s=4)):
            eventually(lambda: len(provider.asked) == 6)
            post_http(["urgent@example.org"], made={"lane": Lane.URGENT})
            eventually(lambda: "urgent@example.org" in provider.taken, within_s=2)
    assert len(provider.asked) == 7
