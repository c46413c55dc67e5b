"""The mail's whole way: each magic address gets its state and reason, by both doors."""

import json
import smtplib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest

from postroom.simulator import truth
from tests.helpers import eventually
from tests.installation import Installation, installed

COMMUNICATION = "whole-way"
DOORS = ("http", "smtp")
_SECONDS_MAX = 20.0

PROMISED: dict[str, tuple[str, str, str | None]] = {
    "delivered": ("delivered", "delivered", None),
    "bounce": ("bounced", "not_delivered", "address_unknown"),
    "bounce+5.2.1": ("bounced", "not_delivered", "mailbox_disabled"),
    "bounce+5.1.2": ("bounced", "not_delivered", "domain_unknown"),
    "full": ("bounced", "not_delivered", "mailbox_full"),
    "defer": ("bounced", "not_delivered", "gave_up"),
    "defer-then-deliver": ("delivered", "delivered", None),
    "late-bounce": ("bounced", "not_delivered", "address_unknown"),
    "block": ("bounced", "not_delivered", "reputation_block"),
    "spam": ("bounced", "not_delivered", "content_refused"),
    "refuse": ("rejected", "not_sent", "address_syntax"),
    "complain": ("delivered", "delivered", None),
    "suppressed": ("suppressed", "not_sent", "suppressed_by_provider"),
    "silent": ("submitted", "still_trying", None),
    "open": ("delivered", "delivered", None),
    "click": ("delivered", "delivered", None),
    "unsubscribe": ("delivered", "delivered", None),
    "ooto": ("delivered", "delivered", None),
}
"""State, answer and reason by local part."""
ALSO = {
    "complain": "complained_at",
    "open": "opened_at",
    "click": "clicked_at",
    "unsubscribe": "unsubscribed_at",
}
"""What else is noted of a delivered mail."""
SUPPRESSED_NOW = ("bounce", "late-bounce", "complain")


@dataclass(frozen=True, slots=True)
class Journey:
    """An installation in which every magic address got one mail by each door."""

    installation: Installation
    found: dict[tuple[str, str], dict[str, Any]]
    """Deliveries as the API gives them, by local part and door."""


def _address(local: str, door: str) -> str:
    return f"{local}@{door}.sim.example"


@pytest.fixture(scope="module")
def journey() -> Iterator[Journey]:
    """Submitted by both doors, and waited for until the truth of all is known."""
    with installed() as installation:
        _submit_by_http(installation)
        _submit_by_smtp(installation)
        eventually(lambda: _is_known(installation), _SECONDS_MAX, every_s=0.2)
        yield Journey(installation, _found(installation))


def _submit_by_http(installation: Installation) -> None:
    status, answer = installation.call(
        "POST",
        "/v1/messages",
        {
            "from": "desk@company.example",
            "to": [_address(local, "http") for local in PROMISED],
            "subject": "New prices",
            "text": "See https://company.example/prices",
            "communication": COMMUNICATION,
        },
    )
    assert status == 202, answer


def _submit_by_smtp(installation: Installation) -> None:
    mail = EmailMessage()
    mail["From"] = "desk@company.example"
    mail["To"] = _address("delivered", "smtp")
    mail["Subject"] = "New prices"
    mail["Message-ID"] = "<prices@company.example>"
    mail["X-Postroom-Communication"] = COMMUNICATION
    mail.set_content("See https://company.example/prices")
    people = [_address(local, "smtp") for local in PROMISED]
    with smtplib.SMTP("127.0.0.1", installation.smtp_port, timeout=30) as client:
        client.login(*installation.login)
        assert client.send_message(mail, to_addrs=people) == {}


def _is_known(installation: Installation) -> bool:
    """Whether every delivery has its promised state, and everything else is noted too."""
    found = _found(installation)
    return len(found) == len(PROMISED) * len(DOORS) and all(
        delivery["state"] == PROMISED[local][0]
        and (local not in ALSO or delivery[ALSO[local]] is not None)
        and delivery["after_acceptance"] == (local == "late-bounce")
        for (local, _), delivery in found.items()
    )


def _found(installation: Installation) -> dict[tuple[str, str], dict[str, Any]]:
    status, page = installation.call("GET", f"/v1/deliveries?communication={COMMUNICATION}")
    assert status == 200
    found = {}
    for delivery in page["items"]:
        local, _, domain = delivery["recipient"].partition("@")
        found[local, domain.partition(".")[0]] = delivery
    return found


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("local", PROMISED)
def test_the_address_decides_state_answer_and_reason(
    journey: Journey, local: str, door: str
) -> None:
    delivery = journey.found[local, door]
    said = (delivery["state"], delivery["answer"], delivery["reason"])
    assert said == PROMISED[local], delivery["reason_text"]


@pytest.mark.parametrize("door", DOORS)
def test_a_recipient_failure_and_a_complaint_suppress_the_address(
    journey: Journey, door: str
) -> None:
    for local in SUPPRESSED_NOW:
        address = _address(local, door)
        assert journey.found[local, door]["suppression"] is not None
        answer = journey.installation.call(
            "POST",
            "/v1/messages",
            {"from": "desk@company.example", "to": [address], "subject": "Again", "text": "Again"},
        )
        assert answer[0] == 202
        assert answer[1]["suppressed"] == 1


@pytest.mark.parametrize("local", ["delivered", "bounce", "silent"])
def test_ask_agrees_with_the_api(journey: Journey, local: str) -> None:
    address = _address(local, "smtp")
    asked = json.loads(
        journey.installation.cli("ask", address, "--communication", COMMUNICATION, "--json")
    )
    assert asked["items"] == [journey.found[local, "smtp"]]


def test_the_report_balances_and_agrees_with_the_deliveries(journey: Journey) -> None:
    report = json.loads(journey.installation.cli("report", COMMUNICATION, "--json"))
    deliveries = journey.found.values()
    assert report["balanced"]
    assert report["recipients"] == len(deliveries)
    for what in ("state", "answer", "reason"):
        counted = Counter(d[what] for d in deliveries if d[what] is not None)
        assert {name: count for name, count in report[f"{what}s"].items() if count} == counted


def test_the_ledger_equals_the_truth_recipient_by_recipient(journey: Journey) -> None:
    told = truth.load(journey.installation.data / "truth.jsonl").copies.values()
    happened = {one.copy.recipient: one.final.what if one.final else None for one in told}
    words = {
        "delivered": "delivered",
        "bounced": "bounced",
        "suppressed": "dropped",
        "submitted": None,
    }
    expected = {
        delivery["recipient"]: words[delivery["state"]]
        for delivery in journey.found.values()
        if delivery["state"] != "rejected"
    }
    assert happened == expected


def test_each_copy_shows_its_recipient_or_the_header_as_written(journey: Journey) -> None:
    for taken in truth.load(journey.installation.data / "truth.jsonl").copies.values():
        copy = taken.copy
        written = _address("delivered", "smtp") if copy.door == "smtp" else copy.recipient
        assert (copy.to, copy.cc) == ((written,), ())


def test_verify_finds_nothing(journey: Journey) -> None:
    verified = json.loads(journey.installation.cli("verify", "--json"))
    assert verified["discrepancies"] == []
    assert verified["deliveries"] >= len(journey.found)


def test_no_role_has_a_traceback(journey: Journey) -> None:
    assert "Traceback" not in journey.installation.log
