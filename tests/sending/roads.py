"""Accounts by name, and routes over them, as short as a test wants them."""

from postroom.domain.lane import Lane
from postroom.ledger import accounts, routes
from tests.fake_provider import FakeProvider
from tests.fake_smtp import FakeSmtp
from tests.sending.posting import rows


def add(name: str, provider: FakeProvider, simulated: bool = True, **settings: str) -> int:
    """An account with a JSON road to the provider."""
    reached = {"endpoint": f"http://127.0.0.1:{provider.port}", "api_key": "SG.secret"}
    accounts.add(name, "sendgrid", simulated, reached | settings)
    return _id_of(name)


def add_relay(name: str, server: FakeSmtp, simulated: bool = True) -> int:
    """An account of any SMTP server."""
    settings = {"smtp_host": "127.0.0.1", "smtp_port": str(server.port)}
    accounts.add(name, "smtp", simulated, settings)
    return _id_of(name)


def _id_of(name: str) -> int:
    row = accounts.by_name(name)
    assert row is not None
    return row.id


def route(
    *names: str,
    weights: tuple[float, ...] = (),
    simulated: bool = True,
    application: str | None = None,
    lane: Lane | None = None,
    from_domain: str | None = None,
    recipient_domain: str | None = None,
) -> int:
    """A route in force; its number."""
    given = dict(zip(names, weights, strict=False))
    chosen = [(name, given.get(name)) for name in names]
    return routes.add(simulated, application, lane, from_domain, recipient_domain, chosen)


def make_sound() -> None:
    """All accounts have carried mail for long."""
    rows(
        "INSERT INTO account_health (account_id, state, since, why)"
        " SELECT id, 'sound', now() - interval '1 day', '' FROM account"
        " ON CONFLICT (account_id) DO UPDATE SET state = 'sound', since = excluded.since"
        " RETURNING 1"
    )


def healths() -> dict[str, str]:
    """Account to the state of its health."""
    return dict(rows("SELECT name, state FROM account_health JOIN account ON id = account_id"))
