"""What `postroom doctor domain` says of a From domain: what stands, what is to be set."""

import asyncio
import json

import pytest
from django.test import override_settings

from postroom import cli
from postroom.ledger import accounts, sender_domains, sender_needs
from postroom.ledger.db import connection
from postroom.management import domain_check
from postroom.management.doctor import Level
from tests.fake_dns import Zone, fake_dns
from tests.ledger import making

pytestmark = pytest.mark.usefixtures("ledger")

DKIM = {"purpose": "dkim", "type": "TXT", "host": "a._domainkey.example.com", "value": "p=A"}
SOUND = {
    ("a._domainkey.example.com", "TXT"): ['"p=A"'],
    ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=none"'],
    ("example.com", "TXT"): ['"v=spf1 -all"', '"site-verification=x"'],
}


def account(name: str = "main") -> int:
    accounts.add(name, "postmark", False, {})
    row = accounts.by_name(name)
    assert row is not None
    return row.id


def said(zone: Zone, public_url: str = "https://mail.example.com") -> list[tuple[Level, str, str]]:
    with (
        fake_dns(zone) as resolver,
        override_settings(POSTROOM_DNS=resolver, POSTROOM_PUBLIC_URL=public_url),
    ):
        found = asyncio.run(domain_check.findings("example.com"))
    return [(one.level, one.about, one.said) for one in found]


def levels(zone: Zone, public_url: str = "https://mail.example.com") -> dict[str, Level]:
    return {about: level for level, about, _ in said(zone, public_url)}


def test_a_domain_that_meets_everything_is_said_to() -> None:
    sender_domains.keep(account(), "example.com", sender_domains.VERIFIED, True, [DKIM])
    assert levels(SOUND) == dict.fromkeys(
        ("alignment", "dkim", "DMARC", "SPF", "one-click"), Level.OK
    )


def test_what_is_missing_is_shown_as_the_record_to_set() -> None:
    sender_domains.keep(account(), "example.com", "pending", False, [DKIM])
    found = said({("example.com", "A"): ["127.0.0.1"]}, "http://127.0.0.1:8025")
    missing = {about: what for level, about, what in found if level is Level.MISSING}
    assert "not aligned with the From domain" in missing["alignment"]
    assert missing["dkim"] == "To be set: a._domainkey.example.com TXT p=A (for main)"
    assert missing["DMARC"] == "To be set: _dmarc.example.com TXT v=DMARC1; p=none"
    assert "needs https" in missing["one-click"]


def test_two_policies_are_none() -> None:
    twice = {
        ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'],
        ("example.com", "TXT"): ['"v=spf1 -all"', '"v=spf1 ~all"'],
    }
    found = levels(twice)
    assert (found["DMARC"], found["SPF"]) == (Level.MISSING, Level.MISSING)


def test_an_account_that_does_not_know_the_domain_is_told() -> None:
    account("second")
    assert (
        Level.NOTE,
        "alignment",
        "second does not know example.com; `postroom domain add example.com`.",
    ) in said(SOUND)


def test_a_domain_near_5000_mails_a_day_to_one_operator_is_told() -> None:
    mine = account()
    with connection() as conn:
        conn.execute(
            "INSERT INTO guard_count (application_id, communication_id, account_id, from_domain,"
            " kind, is_pressing, receiver, what, slot_at, part, count)"
            " SELECT %s, 0, %s, 'example.com', 'marketing', false, domain, 'delivered', now(), 0,"
            "        2000 FROM unnest(ARRAY['gmail.com', 'googlemail.com', 'yahoo.com']) AS domain",
            (making.application(), mine),
        )
    (volume,) = [what for _, about, what in said(SOUND) if about == "volume"]
    assert volume.startswith("4,000 mails from example.com reached Gmail within a day.")


def test_the_command_ends_with_1_where_something_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_dns({}) as resolver, override_settings(POSTROOM_DNS=resolver):
        assert cli.main(["doctor", "domain", "Example.com", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"level": "missing", "about": "DMARC"}.items() <= found[1].items()
    assert cli.main(["doctor", "account"]) == 1
    assert "postroom doctor domain example.com" in capsys.readouterr().err


def test_the_clock_looks_once_a_day_and_keeps_what_is_lacking() -> None:
    sender_domains.keep(account(), "example.com", sender_domains.VERIFIED, True, [DKIM])
    with fake_dns({}) as resolver, override_settings(POSTROOM_DNS=resolver):
        assert domain_check.look_due() == 1
        assert domain_check.look_due() == 0
    lacking = sender_needs.lacking("example.com")
    assert any(one.startswith("example.com: DMARC: To be set:") for one in lacking)
    assert sender_needs.lacking("other.example") == []
