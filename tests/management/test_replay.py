"""`postroom replay`: today's rules over what was heard before, and what they cannot say yet."""

import json
from argparse import ArgumentParser
from typing import Any

import pytest

from postroom.feedback.reading import read_receipt
from postroom.ledger import receipts
from postroom.ledger.db import transaction
from postroom.management.commands import replay
from tests.feedback.making import teller, told
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, scalar

pytestmark = pytest.mark.usefixtures("ledger")

ADDRESS_KNOWN_TO_NOBODY = "550 5.1.1 no such user"


def bounced(*words: str) -> None:
    """A delivery of each of these words' own, refused with them, and all of it read."""
    provider, app = teller(), application()
    for said in words:
        accept(new_message(app))
        attempt = making.begin(claim())
        making.settle(attempt)
        provider.tell(told(attempt.handovers[0].id, "bounce", type="bounce", reason=said))
    assert receipts.interpret_new(100, read_receipt) == len(words)


def as_an_older_rule_read_it() -> None:
    with transaction() as conn:
        conn.execute("UPDATE event SET reason = 'unclassified', suppress = 'no', rules = 0")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = ArgumentParser()
    replay.arrange(parser)
    capsys.readouterr()
    assert replay.run(parser.parse_args(arguments)) == 0
    return capsys.readouterr().out


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json"))


CHANGE = {
    "events": 2,
    "reason_before": "unclassified",
    "reason": "address_unknown",
    "suppress_before": "no",
    "suppress": "now",
}


def test_a_dry_run_shows_what_would_change_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bounced(ADDRESS_KNOWN_TO_NOBODY, ADDRESS_KNOWN_TO_NOBODY)
    as_an_older_rule_read_it()
    told = said(capsys, "--dry-run")
    assert told == {"receipts": 2, "new_events": 0, "changes": [CHANGE]}
    assert scalar("SELECT array_agg(DISTINCT reason) FROM event") == ["unclassified"]
    assert "2 events would be read otherwise" in run(capsys, "--dry-run")


def test_a_replay_renews_the_readings_and_shows_before_and_after(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bounced(ADDRESS_KNOWN_TO_NOBODY, ADDRESS_KNOWN_TO_NOBODY)
    as_an_older_rule_read_it()
    assert said(capsys, "--reasons")["changes"] == [CHANGE]
    assert scalar("SELECT array_agg(DISTINCT reason) FROM event") == ["address_unknown"]
    assert scalar("SELECT array_agg(DISTINCT reason) FROM delivery") == ["address_unknown"]
    assert said(capsys, "--reasons")["changes"] == []


def test_texts_without_a_reason_are_grouped_and_name_no_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bounced(
        "550 5.0.0 <ann@example.com> frobnicated at 192.0.2.1 (id 17a)",
        "550 5.0.0 <bob@example.com> frobnicated at 192.0.2.7 (id 23b)",
        "550 5.0.0 unheard of",
        ADDRESS_KNOWN_TO_NOBODY,
    )
    rows = said(capsys, "--unclassified")
    assert [(row["events"], row["enhanced_code"]) for row in rows] == [(2, "5.0.0"), (1, "5.0.0")]
    assert rows[0]["words"].endswith("frobnicated at # (id #")
    printed = run(capsys, "--unclassified")
    assert "frobnicated" in printed
    assert "@" not in printed
