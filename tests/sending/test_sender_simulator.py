"""The sender with the simulated provider, which was written from the vendor's pages alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom.ledger import accounts
from tests.helpers import eventually
from tests.sending.posting import attempts, people, post_http, post_smtp, rows, sending, stages
from tests.simulator.rig import API_KEY, Running, config

pytestmark = pytest.mark.usefixtures("ledger")

MAIL = b"From: Boss <boss@example.com>\r\nTo: all@example.com\r\nSubject: Hi\r\n\r\nHello\r\n"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Running]:
    """A simulator that tells nobody what happens, and the account for it."""
    running = Running(config(tmp_path, None))
    settings = {
        "endpoint": running.url,
        "api_key": API_KEY,
        "smtp_host": "127.0.0.1",
        "smtp_port": str(running.simulator.smtp_port),
        "smtp_user": "apikey",
        "smtp_password": API_KEY,
        "smtp_tls": "none",
    }
    accounts.add("simulator", "sendgrid", True, settings)
    yield running
    running.close()


def handed() -> dict[str, str]:
    """Hand-over id to recipient, as the ledger has it."""
    return dict(
        rows(
            "SELECT handover.id::text, recipient FROM handover"
            "  JOIN delivery ON delivery.id = handover.delivery_id"
            "  JOIN attempt ON attempt.id = handover.attempt_id"
            " WHERE COALESCE(handover.outcome, attempt.outcome) = 'taken'"
        )
    )


def test_by_either_road_the_provider_took_what_the_ledger_says_it_took(simulator: Running) -> None:
    post_http(people(30), text="Dear {{ name }}", subject="For {{ name }}")
    post_http(["copied@example.org"], cc=["boss@example.com"])
    post_smtp(["raw1@example.org", "raw2@example.org"], MAIL)
    with sending():
        eventually(lambda: stages() == {"submitted": 33})
    taken = simulator.truth.by_handover()
    assert {id: [one.copy.recipient for one in copies] for id, copies in taken.items()} == {
        id: [recipient] for id, recipient in handed().items()
    }
    assert {road for road, *_ in attempts()} == {"sendgrid", "sendgrid_smtp"}


def test_nobody_sees_another_unless_the_author_shows_them(simulator: Running) -> None:
    post_http(people(5))
    post_http(["shown@example.org"], display_to=["board@example.com"], cc=["boss@example.com"])
    with sending():
        eventually(lambda: stages() == {"submitted": 6})
    seen = {one.copy.recipient: one.copy for one in simulator.truth.copies.values()}
    assert {person: seen[person].to for person in people(5)} == {p: (p,) for p in people(5)}
    assert seen["shown@example.org"].to == ("board@example.com",)
    assert seen["shown@example.org"].cc == ("boss@example.com",)


def test_a_recipient_that_the_provider_names_is_rejected_alone(simulator: Running) -> None:
    post_http([*people(9), "refuse@sim.example"])
    with sending():
        eventually(lambda: stages() == {"submitted": 9, "rejected": 1})
    assert {one.copy.recipient for one in simulator.truth.copies.values()} == set(people(9))
