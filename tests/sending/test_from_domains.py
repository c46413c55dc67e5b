"""An account carries only mail whose From domain is verified and aligned there."""

import pytest

from postroom.ledger import accounts, sender_domains
from postroom.ledger.timers import release_verified
from postroom.management.sender_domains import vouch
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS
from postroom.sending.roads import Carriers, ways_of
from tests.fake_provider import fake_provider
from tests.helpers import eventually
from tests.sending.posting import post_http, reasons, rows, sending, stages

pytestmark = pytest.mark.usefixtures("ledger")

LIVE = {"simulated": False}


def add_live(name: str, port: int) -> int:
    settings = {"endpoint": f"http://127.0.0.1:{port}", "api_key": "SG.secret"}
    accounts.add(name, "sendgrid", False, settings)
    found = accounts.by_name(name)
    assert found is not None
    return found.id


def test_live_mail_from_a_domain_that_is_verified_nowhere_is_held_and_goes_once_it_is() -> None:
    with fake_provider() as provider, sending():
        add_live("main", provider.port)
        post_http(["a@example.org"], LIVE, **{"from": "News <news@example.com>"})
        eventually(lambda: stages() == {"held": 1})
        assert reasons() == {"a@example.org": "from_not_verified"}
        assert rows("SELECT reason_text FROM delivery") == [
            ("example.org is not verified and aligned at any account in use",)
        ]
        vouch("example.org", "main")
        eventually(lambda: release_verified([], 10) == 0 and stages() == {"submitted": 1})
    assert provider.taken == ["a@example.org"]


def test_of_two_accounts_the_one_takes_it_that_may() -> None:
    with fake_provider() as first, fake_provider() as second:
        add_live("first", first.port)
        sender_domains.keep(add_live("second", second.port), "example.org", "verified", True)
        with sending():
            post_http(["a@example.org"], LIVE)
            eventually(lambda: stages() == {"submitted": 1})
    assert (first.taken, second.taken) == ([], ["a@example.org"])


def test_a_simulated_account_asks_for_no_domain() -> None:
    with fake_provider() as provider, sending():
        accounts.add("simulator", "sendgrid", True,
                     {"endpoint": f"http://127.0.0.1:{provider.port}", "api_key": "x"})  # fmt: skip
        post_http(["a@example.org"])
        eventually(lambda: stages() == {"submitted": 1})


@pytest.mark.parametrize(
    ("provider", "domain", "carries"),
    [
        ("sendgrid", "example.com", True),
        ("sendgrid", "news.example.com", False),
        ("ses", "example.com", True),
        ("ses", "news.example.com", True),
        ("ses", "notexample.com", False),
        ("ses", "com", False),
    ],
)
def test_a_domain_stands_for_those_below_it_only_where_the_provider_says_so(
    provider: str, domain: str, carries: bool
) -> None:
    needs = PROVIDERS[provider].roads[0].needs
    account = Account(1, "main", provider, False, dict.fromkeys(needs, "x"))
    way = ways_of([account], Carriers(1), {1: frozenset({"example.com"})})[0]
    assert way.carries_from(domain) is carries
