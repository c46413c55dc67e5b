"""What the provider tells comes back whole, by the truth, and nothing else is believed."""

import json
import re
from collections import Counter

import pytest

from postroom.ledger.verify import verify
from postroom.simulator.steps import What
from postroom.simulator.truth import TakenCopy
from tests.conformance.house import House, Mailing
from tests.conformance.mails import PLAIN
from tests.sending.posting import rows, sending

REASONS: dict[str, str | None] = {
    "delivered": None,
    "bounce": "address_unknown",
    "full": "mailbox_full",
    "defer": "gave_up",
    "defer-then-deliver": None,
    "late-bounce": "address_unknown",
    "block": "reputation_block",
    "spam": "content_refused",
    "complain": None,
    "suppressed": "suppressed_by_provider",
    "silent": None,
    "open": None,
    "click": None,
    "unsubscribe": None,
    "ooto": None,
}
"""Magic addresses with the reason that their deliveries are to get."""
TYPES = {
    What.ACCEPTED: "accepted",
    What.DEFERRED: "deferred",
    What.DELIVERED: "delivered",
    What.BOUNCED: "bounced",
    What.DROPPED: "suppressed",
    What.AUTO_REPLIED: "auto_replied",
    What.COMPLAINED: "complained",
    What.OPENED: "opened",
    What.CLICKED: "clicked",
    What.UNSUBSCRIBED: "unsubscribed",
}
"""What happened, as the type of the event that tells of it."""
_JSON = {"Content-Type": "application/json"}
SUPPRESSED = ("bounce", "late-bounce", "complain", "unsubscribe")


def people(test: str) -> list[str]:
    """All magic addresses, under a domain of this test's own."""
    return [f"{local}@{test}.sim.example" for local in REASONS]


def told(copy: TakenCopy) -> Counter[str]:
    """The types of the events that the provider told of."""
    return Counter(TYPES[fact.what] for fact in copy.facts if fact.batch is not None)


def heard(mailing: Mailing) -> dict[str, Counter[str]]:
    """The types of the events in the ledger, by hand-over id; our own are left out."""
    found = rows(
        "SELECT handover_id::text, array_agg(type ORDER BY type) FROM event"
        " WHERE basis <> 'local' AND delivery_id = ANY(ARRAY("
        "   SELECT delivery.id FROM delivery"
        "     JOIN communication ON communication.id = delivery.communication_id"
        "    WHERE communication.name = %s)) GROUP BY 1",
        mailing.name,
    )
    return {handover: Counter(types) for handover, types in found}


def check_against_the_truth(mailing: Mailing) -> None:
    """Every event is there once, every reason is right, and nobody else is suppressed."""
    mailing.house.wait_until_quiet()
    events = heard(mailing)
    for recipient, copies in mailing.copies().items():
        local, _, domain = recipient.partition("@")
        delivery = mailing.deliveries()[recipient]
        assert delivery.reason == REASONS[local], delivery
        for one in copies:
            known, expected = events.get(str(one.copy.handover), Counter()), told(one)
            # Deferrals in the same words within a second are one fact where stamps have no more.
            assert known.keys() == expected.keys(), local
            assert known <= expected, local
        if not copies:
            assert (local, delivery.state) == ("suppressed", "rejected")
    # Resend tells of no unsubscribe.
    unheard = set() if any(types["unsubscribed"] for types in events.values()) else {"unsubscribe"}
    assert suppressed(domain) == {f"{local}@{domain}" for local in {*SUPPRESSED} - unheard}


def suppressed(domain: str) -> set[str]:
    """Addresses of this domain that are not written to any more."""
    return {
        key
        for (key,) in rows(
            "SELECT address_key FROM suppression WHERE lifted_at IS NULL AND address_key LIKE %s",
            f"%@{domain}",
        )
    }


def test_all_events_come_back_and_every_verdict_is_the_truth(house: House) -> None:
    mailing = house.post(people("events"), html='<a href="https://company.example/">Prices</a>')
    with sending():
        mailing.wait_until_told()
    check_against_the_truth(mailing)


def test_all_events_of_a_mail_from_the_smtp_door_come_back_as_well(house: House) -> None:
    mailing = house.hand_in(people("smtp-events"), PLAIN)
    with sending():
        if house.takes_finished_mails():
            mailing.wait_until_told()
            check_against_the_truth(mailing)
        else:
            mailing.wait_until("held")


def test_notifications_that_are_repeated_overtaken_and_told_anew_change_nothing(
    house: House,
) -> None:
    house.running.make_mischief(
        webhook_repeat=1.0,
        webhook_reissue=1.0,
        webhook_repeat_max=2,
        webhook_shuffle=True,
        webhook_delay_ms=[0, 200],
        webhook_truncate=0.3,
    )
    mailing = house.post(people("repeated"), html='<a href="https://company.example/">Prices</a>')
    with sending():
        mailing.wait_until_told()
    check_against_the_truth(mailing)


def test_forged_notifications_are_refused_and_change_nothing(house: House) -> None:
    before = house.refused()
    house.running.make_mischief(webhook_forge=1.0)
    mailing = house.post(people("forged"), html='<a href="https://company.example/">Prices</a>')
    with sending():
        mailing.wait_until_told()
    check_against_the_truth(mailing)
    assert house.refused() > before


def _without_proof(body: bytes) -> bytes:
    """The notification, its signature taken out where it stands in the body."""
    return re.sub(rb'("[Ss]ignature" ?: ?)"[^"]*"', rb'\1""', body)


@pytest.mark.parametrize("login", ["", "Basic dGVsbGVyOmEgZ3Vlc3M="])
def test_a_notification_that_proves_nothing_is_refused_and_changes_nothing(
    house: House, login: str
) -> None:
    test = "guessed" if login else "unsigned"
    mailing = house.post([f"bounce@{test}.sim.example", f"delivered@{test}.sim.example"])
    with sending():
        mailing.wait_until_told()
    house.wait_until_quiet()
    dead, alive = (copies[0].copy.handover or "" for copies in mailing.copies().values())
    events, refused = heard(mailing), house.refused()
    bodies = [one for one in house.bodies() if dead.encode() in one and b"ounce" in one]
    assert bodies
    for body in bodies:
        forged = _without_proof(body).replace(dead.encode(), alive.encode())
        headers = _JSON | ({"Authorization": login} if login else {})
        status, answer = house.call(house.webhook_path, forged, headers)
        assert status == 401, answer
        assert json.loads(answer)["type"] == "urn:postroom:problem:not-authentic"
    assert house.refused() == refused + len(bodies)
    house.wait_until_quiet()
    assert heard(mailing) == events
    assert mailing.states()[f"delivered@{test}.sim.example"] == "delivered"


def test_a_notification_to_another_path_is_not_found(house: House) -> None:
    before = house.bodies()
    status, _ = house.call(f"{house.webhook_path}x", b"[]", _JSON)
    assert (status, house.bodies()) == (404, before)


def test_the_ledger_bears_out_what_it_says_of_all_that(house: House) -> None:
    mailing = house.post(people("verified"))
    with sending():
        mailing.wait_until_told()
    house.wait_until_quiet()
    found = verify()
    assert found.deliveries >= len(REASONS)
    assert found.discrepancies == []
