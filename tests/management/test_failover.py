"""Routes as operators set them, and where they learn that nobody stands by."""

import json
from datetime import timedelta

import pytest

from postroom import cli
from postroom.ledger import account_health, accounts, sender_domains
from postroom.ledger.account_health import Calls
from postroom.ledger.db import connection
from postroom.management import doctor, failover

pytestmark = pytest.mark.usefixtures("ledger")


def add(name: str, *domains: str, provider: str = "sendgrid", simulated: bool = False) -> int:
    accounts.add(name, provider, simulated, {"api_key": "x"})
    row = accounts.by_name(name)
    assert row is not None
    for domain in domains:
        sender_domains.keep(row.id, domain, "verified", True)
    return row.id


def route(*words: str) -> int:
    return cli.main(["route", *words])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    found = capsys.readouterr()
    return found.out + found.err


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert route("list", "--json") == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


def test_a_route_is_shown_as_it_was_set_with_how_its_accounts_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    add("main", "corp.example")
    add("spare", "corp.example")
    words = ("main=70", "spare=30", "--lane", "bulk", "--from-domain", "Corp.example")
    assert route("add", *words, "--recipient-domain", ".Example.org") == 0
    assert said(capsys) == "Route 1 is in force within seconds.\n"
    assert listed(capsys) == [
        {
            "route": 1,
            "application": None,
            "lane": "bulk",
            "from_domain": "corp.example",
            "recipient_domain": ".example.org",
            "simulated": False,
            "accounts": ["main=70", "spare=30"],
            "health": ["not judged yet", "not judged yet"],
            "failover": "yes",
        }
    ]
    assert route("remove", "1") == 0
    assert said(capsys) == "Route 1 is no more.\n"
    assert listed(capsys) == []
    assert route("remove", "1") == 1
    assert said(capsys) == "postroom: There is no route 1; see `postroom route list`.\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nobody",), "There is no account nobody; see `postroom account list`."),
        (("main", "main"), "An account stands in a route once."),
        (("main=1", "spare"), "Give a weight to every account, or to none."),
        (("main=0",), "main=0: a weight is a number above zero."),
        (("main=nan",), "main=nan: a weight is a number above zero."),
        (("main=much",), "main=much: a weight is a number above zero."),
        (("main", "simulator"), "A route is for live or for simulated accounts, not for both."),
        (("main", "--from-domain", "a"), "a: The domain has no dot"),
        (("main", "--application", "erp"), "There is no application erp."),
        (("main", "--lane", "urgent"), "there is a route for the same mail already"),
    ],
)
def test_a_route_that_cannot_be_is_refused_with_the_reason(
    words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add("main")
    add("spare")
    add("simulator", simulated=True)
    route("add", "spare", "--lane", "urgent")
    said(capsys)
    assert route("add", *words) == 1
    assert said(capsys).startswith(f"postroom: {why}")


def test_a_route_without_a_second_eligible_account_is_shown_as_no_failover(
    capsys: pytest.CaptureFixture[str],
) -> None:
    add("main", "corp.example", "news.corp.example")
    spare = add("spare", "corp.example")
    add("cloud", "corp.example", provider="ses")
    route("add", "main", "spare")
    assert said(capsys).endswith("It has no failover: mail from news.corp.example by main alone.\n")
    route("add", "main", "spare", "--from-domain", "corp.example")
    route("add", "spare", "cloud", "--from-domain", "a.corp.example")
    route("add", "spare", "--from-domain", ".corp.example")
    said(capsys)
    assert [row["failover"] for row in listed(capsys)] == [
        "no failover: mail from news.corp.example by main alone",
        "yes",
        "no failover: mail from a.corp.example by cloud alone",
        "no failover: mail from news.corp.example by nobody",
    ]
    accounts.stop(spare, "stopped")
    assert listed(capsys)[1]["failover"] == "no failover: mail from corp.example by main alone"


def test_the_doctor_says_where_nobody_stands_by_and_who_is_not_well() -> None:
    id = add("main", "corp.example")
    add("spare")
    account_health.note_calls([Calls(id, 9, 9, 0, 0)])
    for _ in range(2):
        account_health.judge(timedelta(minutes=10))
    with connection() as conn:
        conn.execute("UPDATE account_health SET since = '2026-11-24T09:00Z'")
    found = [(one.level, one.about, one.said) for one in doctor._accounts()]
    assert (
        doctor.Level.NOTE,
        "failover",
        "Mail without a route has no failover: mail from corp.example by main alone.",
    ) in found
    assert (
        doctor.Level.MISSING,
        "health",
        "main is open since 09:00:00 UTC: errors: 9 of 9 in 10 s.",
    ) in found


def test_simulated_accounts_stand_by_for_one_another(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        add(name, simulated=True)
    route("add", "a", "b")
    route("add", "a", "--lane", "bulk")
    said(capsys)
    assert [row["failover"] for row in listed(capsys)] == [
        "yes",
        "no failover: mail from any by a alone",
    ]
    assert list(failover.sentences()) == ["Route 2 has no failover: mail from any by a alone."]


def test_the_health_of_accounts_stands_in_their_list(capsys: pytest.CaptureFixture[str]) -> None:
    add("main")
    account_health.judge(timedelta(minutes=10))
    add("fresh")
    cli.main(["account", "list", "--json"])
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert (found["main"]["health"], found["main"]["why"]) == ("returning", "new")
    assert (found["fresh"]["health"], found["fresh"]["why"]) == (None, None)
