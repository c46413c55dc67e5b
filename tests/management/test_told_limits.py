"""What a provider says of an account's limits is asked for, kept, and heeded by senders."""

import pytest

from postroom.ledger import accounts, paces
from postroom.management import told_limits
from tests.scripted_api import InTurn, scripted_api

pytestmark = pytest.mark.usefixtures("ledger")

ACCOUNT = "GET /v2/email/account"
QUOTA = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 1_000.0}
KEYS = {"access_key_id": "AKIA", "secret_access_key": "secret", "region": "eu-west-1"}


def add_ses(endpoint: str) -> int:
    accounts.add("ses", "ses", False, KEYS | {"endpoint": endpoint})
    row = accounts.by_name("ses")
    assert row is not None
    return row.id


def test_amazon_tells_its_rate_and_what_is_left_of_the_day() -> None:
    with scripted_api({ACCOUNT: {"SendQuota": QUOTA}}) as api:
        id = add_ses(api.url)
        assert told_limits.ask_all() == 1
    standing = paces.standings()[id]
    assert (standing.told_per_s, standing.told_per_day) == (14, 49_000)


def test_an_account_that_cannot_be_asked_keeps_what_it_told_last() -> None:
    with scripted_api({ACCOUNT: InTurn({"SendQuota": QUOTA}, (500, {}), {"SendQuota": {}})}) as api:
        id = add_ses(api.url)
        assert [told_limits.ask_all() for _ in range(3)] == [1, 0, 0]
    assert paces.standings()[id].told_per_s == 14


def test_a_quota_without_an_end_is_no_limit() -> None:
    with scripted_api({ACCOUNT: {"SendQuota": QUOTA | {"Max24HourSend": -1.0}}}) as api:
        id = add_ses(api.url)
        told_limits.ask_all()
    assert paces.standings()[id].told_per_day is None


def test_accounts_without_such_an_interface_are_not_asked() -> None:
    accounts.add("relay", "smtp", False, {"smtp_host": "127.0.0.1"})
    accounts.add("main", "sendgrid", False, {"api_key": "x", "endpoint": "http://127.0.0.1:1"})
    assert told_limits.ask_all() == 0
