"""Every magic address, as the provider puts it on the wire."""

from typing import Any

import pytest

from tests.helpers import eventually
from tests.simulator.rig import Receiver, Running, config, mail

WIRE: list[tuple[str, list[str], dict[str, Any]]] = [
    ("delivered@sim.example", ["processed", "delivered"], {"response": "250 2.0.0 Ok: queued as"}),
    ("Delivered+42@sub.sim.example", ["processed", "delivered"], {}),
    (
        "bounce@sim.example",
        ["processed", "bounce"],
        {
            "status": "5.1.1",
            "type": "bounce",
            "bounce_classification": "Invalid Address",
            "reason": "550 5.1.1 <bounce@sim.example>: Recipient address rejected: User unknown",
        },
    ),
    (
        "bounce+5.2.1@sim.example",
        ["processed", "bounce"],
        {
            "status": "5.2.1",
            "type": "bounce",
            "bounce_classification": "Mailbox Unavailable",
            "reason": "550 5.2.1 <bounce+5.2.1@sim.example>: Mailbox disabled",
        },
    ),
    (
        "bounce+5.7.1@sim.example",
        ["processed", "bounce"],
        {"status": "5.7.1", "type": "blocked", "bounce_classification": "Reputation"},
    ),
    (
        "full@sim.example",
        ["processed", "bounce"],
        {"status": "5.2.2", "type": "bounce", "reason": "552 5.2.2 <full@sim.example>"},
    ),
    (
        "defer@sim.example",
        ["processed", "deferred", "deferred", "deferred", "bounce"],
        {"status": "4.2.0", "type": "blocked", "reason": "450 4.2.0 <defer@sim.example>"},
    ),
    (
        "defer+4.2.2@sim.example",
        ["processed", "deferred", "deferred", "deferred", "bounce"],
        {"status": "4.2.2", "type": "blocked", "reason": "450 4.2.2 <defer+4.2.2@sim.example>"},
    ),
    (
        "defer-then-deliver@sim.example",
        ["processed", "deferred", "deferred", "delivered"],
        {"response": "250 2.0.0 Ok"},
    ),
    (
        "late-bounce@sim.example",
        ["processed", "delivered", "bounce"],
        {"status": "5.1.1", "type": "bounce"},
    ),
    (
        "block@sim.example",
        ["processed", "bounce"],
        {
            "status": "5.7.1",
            "type": "blocked",
            "bounce_classification": "Reputation",
            "reason": "554 5.7.1 Service unavailable; Client host",
        },
    ),
    (
        "spam@sim.example",
        ["processed", "bounce"],
        {
            "status": "5.7.1",
            "type": "blocked",
            "bounce_classification": "Content",
            "reason": "554 5.7.1 Message rejected as spam",
        },
    ),
    ("complain@sim.example", ["processed", "delivered", "spamreport"], {}),
    ("suppressed@sim.example", ["dropped"], {"reason": "Bounced Address", "status": "5.0.0"}),
    ("open@sim.example", ["processed", "delivered", "open"], {"sg_machine_open": False}),
    (
        "click@sim.example",
        ["processed", "delivered", "open", "click"],
        {"url": "https://example.com/p", "url_offset": {"index": 0, "type": "html"}},
    ),
    ("unsubscribe@sim.example", ["processed", "delivered", "unsubscribe"], {}),
    ("ooto@sim.example", ["processed", "delivered"], {}),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What was told of each magic address when all were mailed in one call."""
    receiver = Receiver()
    running = Running(config(tmp_path_factory.mktemp("magic"), receiver.url))
    tracked_by_nobody = {"open_tracking": {"enable": False}, "click_tracking": {"enable": False}}
    addresses = [address for address, _, _ in WIRE] + ["silent@sim.example"]
    assert running.send(mail(*addresses, tracking_settings=tracked_by_nobody)).status == 202
    eventually(running.is_settled)
    running.close()
    receiver.close()
    return {address: receiver.events(address) for address in addresses}


@pytest.mark.parametrize(("address", "names", "words"), WIRE, ids=[row[0] for row in WIRE])
def test_the_address_decides_what_comes_back(
    told: dict[str, list[dict[str, Any]]], address: str, names: list[str], words: dict[str, Any]
) -> None:
    assert [event["event"] for event in told[address]] == names
    last = told[address][-1]
    for name, value in words.items():
        if isinstance(value, str):
            assert str(last[name]).startswith(value)
        else:
            assert last[name] == value


def test_a_silent_address_is_never_heard_of(told: dict[str, list[dict[str, Any]]]) -> None:
    assert told["silent@sim.example"] == []


def test_every_event_carries_the_hand_over_id_and_the_vendors_fields(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    for address, events in told.items():
        for event in events:
            assert event["postroom_handover"] == f"h-{address}"
            assert event["email"] == address
            assert isinstance(event["timestamp"], int)
            assert event["sg_event_id"]


def test_event_ids_are_unique(told: dict[str, list[dict[str, Any]]]) -> None:
    ids = [event["sg_event_id"] for events in told.values() for event in events]
    assert len(set(ids)) == len(ids)


def test_deferrals_are_numbered(told: dict[str, list[dict[str, Any]]]) -> None:
    attempts = [event.get("attempt") for event in told["defer@sim.example"]]
    assert attempts == [None, "1", "2", "3", None]


def test_a_bounce_after_acceptance_names_no_message(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    delivered, bounced = told["late-bounce@sim.example"][1:]
    assert delivered["sg_message_id"]
    assert not {"sg_message_id", "smtp-id", "ip", "tls"} & bounced.keys()


def test_refuse_makes_the_provider_refuse_the_whole_call_and_say_whose_address_it_is(
    simulator: Running,
) -> None:
    answer = simulator.send(mail("delivered@sim.example", "refuse@sim.example"))
    assert answer.status == 400
    assert answer.errors == [
        ("personalizations.1.to.0.email", "Does not contain a valid address."),
    ]
    assert simulator.truth.copies == {}
