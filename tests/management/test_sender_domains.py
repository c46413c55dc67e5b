"""A From domain at every account: registered, looked at, vouched for."""

import pytest

from postroom.ledger import accounts
from postroom.ledger import sender_domains as ledger
from postroom.ledger.db import connection
from postroom.management import sender_domains
from postroom.providers.account_api import DnsRecord, Purpose
from tests.scripted_api import InTurn, ScriptedApi, scripted_api

pytestmark = pytest.mark.usefixtures("ledger")

SEARCH = "GET /v3/whitelabel/domains?limit=50&domain=example.org"
VALIDATE = "POST /v3/whitelabel/domains/45/validate"
RECORD = {"type": "cname", "host": "s1._domainkey.example.org", "data": "s1.sendgrid.net"}
PENDING = {"id": 45, "domain": "example.org", "valid": False, "dns": {"dkim1": RECORD}}
VALID = PENDING | {"valid": True}
LOOK = {"id": 45, "valid": False, "validation_results": {}}


def add_sendgrid(api: ScriptedApi, name: str = "main") -> None:
    accounts.add(name, "sendgrid", False, {"api_key": "SG.x", "endpoint": api.url})


def carries() -> dict[str, bool]:
    return {one.account: one.carries for one in ledger.standing("example.org")}


def test_a_domain_is_registered_at_every_live_account_and_at_no_simulated_one() -> None:
    with (
        scripted_api({SEARCH: [VALID]}) as one,
        scripted_api({SEARCH: [PENDING], VALIDATE: LOOK}) as two,
    ):
        add_sendgrid(one, "one")
        add_sendgrid(two, "two")
        accounts.add("simulator", "sendgrid", True, {})
        said = sender_domains.register("example.org")
    assert [(one.account, one.said) for one in said] == [("one", "verified"), ("two", "pending")]
    assert carries() == {"one": True, "two": False}
    ((record, names),) = sender_domains.records_of("example.org")
    assert (record.type, record.host, names) == ("CNAME", RECORD["host"], ("one", "two"))


def test_a_policy_is_asked_for_once() -> None:
    own = DnsRecord(Purpose.DMARC, "TXT", "_dmarc.example.org", "v=DMARC1; p=none; rua=mailto:a@b")
    signature = DnsRecord(Purpose.DKIM, "CNAME", RECORD["host"], RECORD["data"])
    asked = [(signature, ("main",)), (own, ("brevo",))]
    assert sender_domains.with_policy("example.org", asked) == asked
    (_, (policy, names)) = sender_domains.with_policy("example.org", asked[:1])
    assert (policy.purpose, policy.host, names) == (Purpose.DMARC, "_dmarc.example.org", ("all",))


def test_an_account_that_cannot_be_asked_keeps_what_it_said_last() -> None:
    with scripted_api({SEARCH: InTurn([VALID], (500, "down"))}) as api:
        add_sendgrid(api)
        sender_domains.register("example.org")
        (said,) = sender_domains.check("example.org")
    assert said.said.startswith("could not be asked: the provider answered 500")
    assert carries() == {"main": True}


def test_a_domain_that_is_gone_at_the_provider_is_carried_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with scripted_api({SEARCH: InTurn([VALID], [])}) as api:
        add_sendgrid(api)
        sender_domains.register("example.org")
        (said,) = sender_domains.check("example.org")
    assert "does not know it" in said.said
    assert carries() == {}
    assert "ALARM sender domain example.org is gone at account main" in caplog.text


def test_a_domain_that_loses_its_records_raises_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    with scripted_api({SEARCH: InTurn([VALID], [PENDING]), VALIDATE: LOOK}) as api:
        add_sendgrid(api)
        sender_domains.register("example.org")
        sender_domains.check("example.org")
    assert carries() == {"main": False}
    assert "ALARM sender domain example.org is no longer verified at main" in caplog.text


def test_an_account_without_an_interface_carries_what_a_person_vouches_for() -> None:
    accounts.add("relay", "smtp", False, {"smtp_host": "127.0.0.1"})
    (said,) = sender_domains.register("example.org")
    assert "`postroom domain vouch example.org --account relay`" in said.said
    assert carries() == {}
    sender_domains.vouch("example.org", "relay")
    assert carries() == {"relay": True}
    (said,) = sender_domains.check("example.org")
    assert said.said == "vouched for by a person"
    assert sender_domains.forget("example.org", "relay")
    assert carries() == {}


def test_an_account_of_another_name_is_unknown() -> None:
    with pytest.raises(LookupError, match="no account nobody"):
        sender_domains.register("example.org", ["nobody"])


def test_every_domain_that_is_due_is_looked_at_once() -> None:
    with scripted_api({SEARCH: [PENDING], VALIDATE: LOOK}) as api:
        add_sendgrid(api)
        sender_domains.register("example.org")
        assert sender_domains.check_due() == 0
        _make_due()
        assert sender_domains.check_due() == 1
        assert sender_domains.check_due() == 0


def _make_due() -> None:
    with connection() as conn:
        conn.execute("UPDATE sender_domain SET checked_at = now() - interval '2 days'")
