"""What is said of complaints at Gmail: its own figures, or that nobody can measure them."""

from datetime import UTC, datetime, timedelta

import pytest

from postroom.domain.guard import Level
from postroom.domain.postmaster import Figure
from postroom.ledger import accounts, postmaster
from postroom.ledger.db import connection
from postroom.management import gmail
from tests.ledger import making

pytestmark = pytest.mark.usefixtures("ledger")

TODAY = datetime.now(UTC).date()


def delivered_at_gmail(number: int) -> None:
    accounts.add("main", "smtp", False, {})
    account = accounts.by_name("main")
    assert account is not None
    with connection() as conn:
        conn.execute(
            "INSERT INTO guard_count (application_id, communication_id, account_id, from_domain,"
            " kind, is_pressing, receiver, what, slot_at, part, count) VALUES"
            " (%s, 0, %s, 'example.org', 'marketing', false, 'gmail.com', 'delivered', now(), 0,"
            "  %s)",
            (making.application(), account.id, number),
        )


def figure(rate: float, days_ago: int = 1, identifier: str = "") -> Figure:
    return Figure("example.org", TODAY - timedelta(days=days_ago), identifier, rate)


def test_without_figures_it_is_not_measurable_and_never_nothing() -> None:
    delivered_at_gmail(1234)
    ((level, said),) = gmail.sentences()
    assert level is Level.WARN
    assert "example.org: complaints at Gmail are not measurable (1,234 mails" in said
    assert "0.00%" not in said


def test_an_old_figure_is_none() -> None:
    delivered_at_gmail(10)
    postmaster.keep([figure(0.001, days_ago=20)])
    ((_, said),) = gmail.sentences()
    assert "not measurable" in said
    assert f"the last is of {TODAY - timedelta(days=20)}" in said


def test_the_newest_figure_speaks_against_the_line() -> None:
    delivered_at_gmail(10)
    postmaster.keep([figure(0.001, days_ago=2), figure(0.002), figure(0.0026)])
    ((level, said),) = gmail.sentences()
    assert level is Level.PAUSE
    assert said.startswith("example.org: 0.26% of the mails in Gmail's inboxes were marked as spam")
    assert "its line is 0.30%" in said


def test_a_figure_of_an_identifier_names_whose_mail_it_is() -> None:
    postmaster.keep([figure(0.0001, identifier="shop.price-change")])
    ((level, said),) = gmail.sentences()
    assert level is Level.CALM
    assert said.startswith("price-change of shop from example.org: 0.01%")
