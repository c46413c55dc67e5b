"""Missing words become an incident: told once when it begins and once when it is over."""

import logging

import pytest
from django.test import Client

from postroom.ledger import accounts, incidents
from postroom.ledger.db import connection
from postroom.management import doctor, flow_watch
from tests.ledger.making import scalar


@pytest.fixture(autouse=True)
def main(ledger: None) -> None:
    accounts.add("main", "sendgrid", False, {"api_key": "x"})
    accounts.add("quiet", "sendgrid", False, {"api_key": "x"})
    accounts.add("relay", "smtp", False, {"smtp_host": "x"})


def count(heard: int, ago_min: int, minutes: int = 1, name: str = "main") -> None:
    """Of 60 hand-overs in each of these minutes so many were heard of."""
    with connection() as conn:
        conn.execute(
            "INSERT INTO account_flow (account_id, minute, part, taken, heard, acknowledged)"
            " SELECT account.id, date_trunc('minute', now()) - (%s + n) * interval '1 minute', 0,"
            "        60, %s, %s"
            "   FROM account, generate_series(0, %s - 1) AS n"
            "  WHERE name = %s",
            (ago_min, heard, heard, minutes, name),
        )


def pass_minutes(minutes: int) -> None:
    with connection() as conn:
        conn.execute(
            "UPDATE account_flow SET minute = minute - %s * interval '1 minute', part = part + 1",
            (minutes,),
        )
        conn.execute("UPDATE incident SET began_at = began_at - %s * interval '1 minute'",
                     (minutes,))  # fmt: skip


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if "ALARM" in one.getMessage()]


def test_silence_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    count(60, 20, 100)
    count(0, 7)
    assert [flow_watch.look(), flow_watch.look()] == [1, 0]
    (told,) = alarms(caplog)
    assert told.startswith("ALARM account main: Of 60 hand-overs since ")
    assert "none was heard of within 5 minutes; usually 100% are." in told
    pass_minutes(2)
    count(59, 7, 2)
    caplog.clear()
    assert [flow_watch.look(), flow_watch.look()] == [1, 0]
    assert alarms(caplog) == []
    assert "account main: words come again" in caplog.text
    assert scalar("SELECT ended_at > began_at FROM incident")


def test_a_fallen_share_is_told_with_its_numbers(caplog: pytest.LogCaptureFixture) -> None:
    count(60, 8, 100)
    count(20, 7)
    assert flow_watch.look() == 1
    assert "only 20 were heard of within 5 minutes; usually 100% are." in alarms(caplog)[0]


def test_an_incident_shows_in_doctor_and_metrics_until_it_is_over() -> None:
    count(0, 7)
    flow_watch.look()
    (stands,) = incidents.standing()
    assert (stands.account, stands.kind) == ("main", "silence")
    (found,) = [one for one in doctor.examine() if one.about == "events"]
    assert (found.level, found.said) == (doctor.Level.MISSING, f"main: {stands.said}")
    text = Client().get("/metrics").content.decode()
    assert 'postroom_account_words_missing{account="main"} 1\n' in text
    assert 'postroom_account_words_missing{account="quiet"} 0\n' in text


def test_an_incident_is_not_over_while_nothing_is_handed_over() -> None:
    count(0, 7)
    flow_watch.look()
    pass_minutes(60)
    assert flow_watch.look() == 0
    assert len(incidents.standing()) == 1


def test_a_relay_may_be_silent_for_ever() -> None:
    count(0, 7, 100, "relay")
    assert flow_watch.look() == 0
