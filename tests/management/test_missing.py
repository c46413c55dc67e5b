"""Providers are asked again for what is missing, and no more often than that helps."""

from datetime import timedelta

import pytest

from postroom.domain.delivery import Outcome
from postroom.ledger import accounts
from postroom.ledger.db import connection
from postroom.management import missing
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, scalar


@pytest.fixture(autouse=True)
def some_accounts(ledger: None) -> None:
    accounts.add("mailgun", "mailgun", False, {"api_key": "k", "domain": "mg.example.org"})
    accounts.add("brevo", "brevo", False, {"api_key": "k"})
    accounts.add("keyless", "mailgun", False, {"smtp_host": "x"})
    accounts.add("relay", "smtp", False, {"smtp_host": "x"})


def id_of(name: str) -> int:
    found = accounts.by_name(name)
    assert found is not None
    return found.id


def incident(name: str, began_min_ago: int, ended_min_ago: int | None = None) -> None:
    with connection() as conn:
        conn.execute(
            "INSERT INTO incident (account_id, kind, began_at, ended_at, said)"
            " VALUES (%s, 'silence', now() - %s * interval '1 minute',"
            "         now() - %s * interval '1 minute', '')",
            (id_of(name), began_min_ago, ended_min_ago),
        )


def finish(wanted_min_ago: int = 0) -> None:
    with connection() as conn:
        ago = timedelta(minutes=wanted_min_ago)
        conn.execute("UPDATE pull SET finished_at = now(), wanted_at = wanted_at - %s,"
                     " until = until - %s", (ago, ago))  # fmt: skip


def handed_over(name: str, outcome: Outcome, silent: timedelta) -> None:
    accept(new_message(application(), [f"{name}@example.com"]))
    attempt = making.begin(claim())
    making.settle(attempt, outcome)
    moved = {"account": id_of(name), "ago": silent, "id": attempt.id}
    with connection() as conn:
        conn.execute(
            "UPDATE attempt SET account_id = %(account)s, begun_at = begun_at - %(ago)s,"
            "       ended_at = ended_at - %(ago)s WHERE id = %(id)s",
            moved,
        )
        conn.execute(
            "UPDATE handover SET account_id = %(account)s WHERE attempt_id = %(id)s", moved
        )
        conn.execute("UPDATE delivery SET silent_since = silent_since - %(ago)s"
                     " WHERE id = %(delivery)s",
                     moved | {"delivery": attempt.handovers[0].delivery_id})  # fmt: skip


def test_while_a_pull_goes_on_no_other_is_wanted_for_the_same() -> None:
    incident("mailgun", 30)
    handed_over("mailgun", Outcome.TAKEN, timedelta(hours=20))
    assert [missing.ask(), missing.ask_for_silent()] == [1, 1]
    with connection() as conn:
        conn.execute("UPDATE pull SET wanted_at = wanted_at - interval '13 hours',"
                     "       until = until - interval '1 minute'")  # fmt: skip
    assert [missing.ask(), missing.ask_for_silent()] == [0, 0]
    finish()
    assert [missing.ask(), missing.ask_for_silent()] == [1, 1]


def test_a_gap_that_lasts_is_pulled_every_quarter_of_an_hour() -> None:
    incident("mailgun", 30)
    incident("keyless", 30)
    incident("relay", 30)
    assert [missing.ask(), missing.ask()] == [1, 0]
    finish(10)
    assert missing.ask() == 0
    finish(10)
    assert missing.ask() == 1
    assert scalar("SELECT array_agg(DISTINCT why) FROM pull") == ["gap"]
    assert scalar("SELECT bool_and(now() - since > '34 minutes') FROM pull")


def test_a_gap_that_is_over_is_pulled_once_more_over_all_of_it() -> None:
    incident("mailgun", 60, 20)
    assert missing.ask() == 1
    finish()
    assert missing.ask() == 0
    assert scalar("SELECT until BETWEEN now() - interval '11 minutes' AND now() FROM pull")


def test_a_gap_of_long_ago_is_left_to_the_operator() -> None:
    incident("mailgun", 120, 61)
    assert missing.ask() == 0


def test_a_call_in_doubt_is_looked_up_when_half_of_the_window_has_passed() -> None:
    handed_over("mailgun", Outcome.UNKNOWN, timedelta(minutes=4))
    assert missing.ask() == 0
    handed_over("mailgun", Outcome.UNKNOWN, timedelta(minutes=6))
    assert missing.ask() == 1
    finish()
    assert missing.ask() == 0
    assert scalar("SELECT why FROM pull") == "doubt"


def test_a_call_in_doubt_is_not_looked_up_where_events_do_not_name_it() -> None:
    handed_over("brevo", Outcome.UNKNOWN, timedelta(minutes=6))
    assert missing.ask() == 0
    assert missing.looked_up() == [id_of("mailgun")]


def test_long_silence_is_pulled_twice_a_day() -> None:
    handed_over("brevo", Outcome.TAKEN, timedelta(hours=11))
    assert missing.ask_for_silent() == 0
    handed_over("brevo", Outcome.TAKEN, timedelta(hours=14))
    handed_over("relay", Outcome.TAKEN, timedelta(hours=14))
    assert [missing.ask_for_silent(), missing.ask_for_silent()] == [1, 0]
    finish()
    assert missing.ask_for_silent() == 0
    assert scalar("SELECT why FROM pull") == "silence"
    with connection() as conn:
        conn.execute("UPDATE pull SET wanted_at = wanted_at - interval '13 hours'")
    assert missing.ask_for_silent() == 1
