"""What is printed: aligned, complete, and harmless."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom import cli
from postroom.domain.address import AddressError
from postroom.ledger import figures
from postroom.ledger.db import transaction
from postroom.reports import ask, report
from postroom.reports.terminal import columns, fields, printable, verbatim
from tests.ledger import busy, making


def asked(recipient: str, communication: str | None = None) -> str:
    return ask.as_text(recipient, *ask.answer(recipient, communication, None))


def test_ask_says_why_not_with_advice_and_the_words_of_who_said_so(ledger: None) -> None:
    busy.busy_ledger()
    told = asked("Bounced@Example.com")
    assert "Not delivered. There is no mailbox with this address." in told
    assert "address_unknown (550 5.1.1)" in told
    assert "    | 550 5.1.1 <bounced@example.com>: user unknown" in told
    assert "Simulated mail to this address is stopped since" in told
    assert "by shop (simulated)" in told


def test_ask_says_when_nothing_was_ever_submitted(ledger: None) -> None:
    assert "Nothing was ever submitted for this address." in asked("nobody@example.com")


def test_ask_chooses_by_communication(ledger: None) -> None:
    busy.busy_ledger()
    assert "Delivered:" in asked("delivered@example.com", busy.COMMUNICATION)
    assert "Delivered:" not in asked("delivered@example.com", "other")


def test_ask_names_notifications_that_fit_no_mail(ledger: None) -> None:
    with transaction() as conn:
        conn.execute(
            "INSERT INTO orphan (account_id, receipt_id, address_key, heard, first_heard_at,"
            "                    next_try_at)"
            " VALUES (1, gen_random_uuid(), 'ann@example.com', '{}', now(), now())"
        )
    assert "fit no mail: 1." in asked("ann@example.com")


def test_ask_refuses_what_is_no_address(ledger: None) -> None:
    with pytest.raises(AddressError):
        asked("nobody")


def test_ask_never_passes_an_escape_sequence_on(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id, subject="\x1b]0;owned\x07 hi \u202e"))
    told = asked("ann@example.com")
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert r"\x1b]0;owned\x07 hi \u202e" in told


def test_the_report_is_a_table_that_adds_up(ledger: None) -> None:
    made = busy.busy_ledger()
    known = figures.report(made.application_id, busy.COMMUNICATION)
    assert known is not None
    text = report.as_text(known)
    rows = {line.rsplit("  ", 3)[0].strip(): line.split() for line in text.splitlines()}
    total = str(len(made.deliveries))
    assert f"Sum {total}" in " ".join(text.split())
    assert f"Recipients at acceptance {total}" in " ".join(text.split())
    assert rows["Balanced: every recipient is in exactly one line."]
    for reason in known.reasons:
        assert f"  {reason}\n" in text


def test_a_report_that_does_not_balance_says_so(ledger: None) -> None:
    made = busy.busy_ledger()
    known = figures.report(made.application_id, busy.COMMUNICATION)
    assert known is not None
    known.recipients += 1
    assert "NOT BALANCED" in report.as_text(known)


def test_json_is_what_the_api_answers(ledger: None) -> None:
    made = busy.busy_ledger()
    known = figures.report(made.application_id, busy.COMMUNICATION)
    assert known is not None
    assert json.loads(json.dumps(report.as_json(known)))["balanced"] is True
    found, _, _ = ask.answer("bounced@example.com", None, None)
    (one,) = json.loads(json.dumps(ask.as_json(found)))["items"]
    assert one["answer"] == "not_delivered"


@given(st.text())
def test_printed_words_are_one_line_without_controls(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable()
    shown.encode()


def test_words_are_quoted_line_by_line() -> None:
    assert verbatim("Evidence", "550 no\r\n550 never") == [
        "  Evidence",
        "    | 550 no",
        "    | 550 never",
    ]


def test_fields_stand_under_one_another_and_columns_of_numbers_at_the_right() -> None:
    assert fields([("a", "1"), ("none", None), ("long", "2")]) == ["  a     1", "  long  2"]
    assert columns([("x", "1"), ("yy", "10")], frozenset({1})) == ["  x    1", "  yy  10"]


def test_the_commands_know_ask_and_report() -> None:
    for words in (["ask", "--help"], ["report", "--help"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0


@pytest.mark.parametrize("words", [["ask", "a@b.example"], ["report", "news"]])
def test_a_time_that_is_none_is_a_misuse(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--as-of", "soon"])
    assert ended.value.code == 2
