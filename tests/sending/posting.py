"""Puts mail into a real ledger, runs a real sender on it, and looks at what became of it."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from postroom.domain.address import suppression_key
from postroom.ledger import accounts
from postroom.ledger.acceptance import NewDelivery
from postroom.ledger.db import connection
from postroom.sending.pace import Pace
from postroom.sending.sender import run
from tests.fake_provider import FakeProvider
from tests.fake_smtp import FakeSmtp
from tests.ledger.making import accept, application, new_message

PACE = Pace(
    calls_max=8, claim_max=1_000, batch_max=None, lease_s=60, call_timeout_s=20, idle_s_max=0.05
)


def add_account(
    provider: FakeProvider | None = None, server: FakeSmtp | None = None, **settings: str
) -> None:
    """An account with a JSON road to `provider` and an SMTP road to `server`, where given."""
    if provider is not None:
        settings |= {"endpoint": f"http://127.0.0.1:{provider.port}", "api_key": "SG.secret"}
    if server is not None:
        settings |= {"smtp_host": "127.0.0.1", "smtp_port": str(server.port)}
    accounts.add("account", "smtp" if provider is None else "sendgrid", True, settings)


def people(count: int) -> list[str]:
    """So many addresses."""
    return [f"person{number:03}@example.org" for number in range(count)]


def post_http(recipients: Sequence[str], made: dict[str, Any] | None = None, **body: Any) -> UUID:
    """A message as the HTTP door stores it; `made` changes its row."""
    described = {"from": "News <news@example.com>", "subject": "Hi", "text": "Hello"} | body
    deliveries = [
        NewDelivery(one, suppression_key(one), vars={"name": one.partition("@")[0]})
        for one in recipients
    ]
    new = new_message(application(), (), submission=json.dumps(described).encode())
    return accept(replace(new, deliveries=deliveries, **(made or {}))).message_id


def post_smtp(recipients: Sequence[str], data: bytes, mail_from: str = "app@example.com") -> UUID:
    """A message as the SMTP door stores it."""
    new = new_message(application(), recipients, door="smtp", submission=data, mail_from=mail_from)
    return accept(new).message_id


@contextmanager
def sending(pace: Pace = PACE) -> Iterator[threading.Event]:
    """A sender in a thread of its own; its stop event."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(run(pace, stop))
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            failed.append(error)

    thread = threading.Thread(target=work, name="sender")
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive(), "the sender does not stop"
        if failed:
            raise failed[0]


def rows(statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What a query gives."""
    with connection() as conn:
        return conn.execute(statement, values).fetchall()


def stages() -> dict[str, int]:
    """Deliveries by stage, with the verdict once an attempt is in play."""
    return dict(
        rows(
            "SELECT CASE WHEN stage = 'handed' THEN verdict ELSE stage END, count(*)"
            "  FROM delivery GROUP BY 1"
        )
    )


def reasons() -> dict[str, str | None]:
    """Address to reason, of the deliveries that have one."""
    return dict(rows("SELECT recipient, reason FROM delivery WHERE reason IS NOT NULL"))


def attempts() -> list[tuple[Any, ...]]:
    """(road, recipients, outcome, response_status, error) of every attempt, oldest first."""
    return rows(
        "SELECT road, recipients, outcome, response_status, error FROM attempt"
        " ORDER BY begun_at, id"
    )
