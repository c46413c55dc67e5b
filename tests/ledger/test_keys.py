"""Keys and networks: who may submit and read, and for how long."""

import pytest

from postroom.ledger import keys
from tests.ledger.making import accept, new_message, scalar

pytestmark = pytest.mark.usefixtures("ledger")


def test_a_new_key_opens_as_bearer_and_as_login() -> None:
    made = keys.create_key("shop", "live", ["send"], ["example.org"])
    for caller in (keys.authenticate_now(made.key), keys.login(made.id, made.secret)):
        assert caller is not None
        assert caller.application == "shop"
        assert caller.may("send")
        assert not caller.may("read")
        assert caller.from_domains == ("example.org",)
        assert not caller.simulated


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1],
        lambda key: key.replace("_test_", "_live_"),
        lambda key: key + "_x",
        lambda key: key.upper(),
        lambda _: "",
        lambda _: "postroom_test_a\x00b_c",
        lambda _: "postroom_test_\ud800_c",
    ],
)
def test_a_spoilt_key_opens_nothing(spoil: object) -> None:
    made = keys.create_key("shop", "test", ["send"])
    assert keys.authenticate_now(spoil(made.key)) is None  # type: ignore[operator]


def test_a_revoked_key_opens_nothing_more() -> None:
    made = keys.create_key("shop", "test", ["send"])
    assert keys.authenticate(made.key) is not None
    assert keys.revoke_key(made.id)
    assert not keys.revoke_key(made.id)
    assert keys.authenticate(made.key) is None


def test_a_key_tells_when_it_was_last_used() -> None:
    by_reading, by_sending = (keys.create_key("shop", "test", ["send"]) for _ in range(2))
    assert scalar("SELECT count(*) FROM key WHERE last_used_at IS NULL") == 2
    caller = keys.authenticate_now(by_reading.key)
    assert caller is not None
    accept(new_message(caller.application_id, key_id=by_sending.id))
    assert scalar("SELECT count(*) FROM key WHERE last_used_at IS NULL") == 0


def test_the_secret_is_nowhere_in_the_table() -> None:
    made = keys.create_key("shop", "test", ["send"])
    assert made.secret not in scalar("SELECT key.*::text FROM key")


@pytest.mark.parametrize(
    ("kind", "scopes", "domains"),
    [("root", ["send"], []), ("test", ["fly"], []), ("test", [], []), ("live", ["send"], [])],
)
def test_a_key_that_makes_no_sense_is_not_made(
    kind: str, scopes: list[str], domains: list[str]
) -> None:
    with pytest.raises(ValueError, match=r"kind|scopes|From domain"):
        keys.create_key("shop", kind, scopes, domains)


def test_the_narrowest_network_names_the_application() -> None:
    keys.add_network("wide", "10.0.0.0/8")
    keys.add_network("narrow", "10.1.0.0/16", "test")
    assert _application("10.1.2.3") == "narrow"
    assert _application("10.2.2.3") == "wide"
    assert _application("::ffff:10.1.2.3") == "narrow"
    assert _application("192.0.2.1") is None


def _application(peer_ip: str) -> str | None:
    caller = keys.by_network(peer_ip)
    return None if caller is None else caller.application


def test_a_network_belongs_to_one_application() -> None:
    keys.add_network("shop", "10.0.0.0/8")
    with pytest.raises(ValueError, match="already"):
        keys.add_network("payroll", "10.0.0.0/8")
    with pytest.raises(ValueError, match=r"host bits|does not appear"):
        keys.add_network("payroll", "10.0.0.1/8")
