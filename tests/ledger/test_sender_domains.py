"""Which From domains an account carries, and what waited for one."""

from uuid import UUID

import pytest

from postroom.ledger import accounts, queue, sender_domains, timers
from postroom.ledger.db import connection
from tests.ledger.making import accept, application, claim, new_message, row, scalar

pytestmark = pytest.mark.usefixtures("ledger")


def live_account(name: str = "main") -> int:
    accounts.add(name, "sendgrid", False, {"api_key": "x"})
    found = accounts.by_name(name)
    assert found is not None
    return found.id


def long_ago() -> None:
    with connection() as conn:
        conn.execute("UPDATE sender_domain SET checked_at = checked_at - interval '2 days'")


def test_a_domain_is_carried_once_it_is_verified_and_aligned() -> None:
    id = live_account()
    assert not sender_domains.keep(id, "example.org", "pending", True)
    assert not sender_domains.keep(id, "example.org", "verified", False)
    assert sender_domains.carried() == {}
    assert sender_domains.keep(id, "example.org", "verified", True)
    assert not sender_domains.keep(id, "example.org", "verified", True), "it is no news"
    assert sender_domains.carried() == {id: {"example.org"}}
    sender_domains.keep(id, "example.org", "failed", True, note="gone")
    assert sender_domains.carried() == {}


def test_the_records_and_the_note_are_kept_as_told() -> None:
    record = {"purpose": "dkim", "type": "TXT", "host": "a._domainkey.example.org", "value": "p"}
    sender_domains.keep(live_account(), "example.org", "pending", True, [record], "wait")
    (one,) = sender_domains.standing("example.org")
    assert (one.account, one.status, one.records, one.note) == ("main", "pending", [record], "wait")
    assert not one.carries
    assert sender_domains.standing("example.net") == []


def test_a_look_in_vain_leaves_what_was_told_last() -> None:
    id = live_account()
    sender_domains.keep(id, "example.org", "verified", True)
    sender_domains.checked_in_vain(id, "example.org", "no answer")
    (one,) = sender_domains.standing()
    assert (one.status, one.note, one.carries) == ("verified", "no answer", True)


def test_a_domain_is_due_for_a_look_by_its_status_and_never_when_vouched_for() -> None:
    id = live_account()
    for domain, status in (("a.org", "verified"), ("b.org", "pending"), ("c.org", "vouched")):
        sender_domains.keep(id, domain, status, True)
    assert sender_domains.due(3600, 0, 10) == [("main", "b.org")]
    long_ago()
    assert sorted(sender_domains.due(3600, 60, 10)) == [("main", "a.org"), ("main", "b.org")]


def held_from(*senders: str) -> list[UUID]:
    """Deliveries of live mail with these senders, held because nobody verified their domains."""
    app = application()
    made = [new_message(app, from_address=sender, simulated=False) for sender in senders]
    ids = [accept(new).deliveries[0][0] for new in made]
    queue.put_on_hold(queue.claim([False], 100, 60), "from_not_verified", "not verified")
    return ids


def stages(ids: list[UUID]) -> list[str]:
    return [row(id, "stage")[0] for id in ids]


def test_what_waited_for_its_domain_goes_on_and_the_rest_waits() -> None:
    ids = held_from("a@example.org", "b@example.org", "c@news.example.org", "d@notexample.org")
    sender_domains.keep(live_account(), "example.org", "verified", True)
    assert timers.release_verified([], 1) == 1
    assert timers.release_verified([], 10) == 1
    assert stages(ids) == ["queued", "queued", "held", "held"]
    assert timers.release_verified(["sendgrid"], 10) == 1
    assert stages(ids) == ["queued", "queued", "queued", "held"]
    assert scalar("SELECT count(*) FROM event WHERE type = 'released'") == 3


def test_what_is_held_again_and_again_is_let_go_more_and_more_seldom() -> None:
    (id,) = held_from("a@example.org")
    sender_domains.keep(live_account(), "example.org", "verified", True)
    for wait_s in (0, 4, 8):
        with connection() as conn:
            conn.execute("UPDATE delivery SET changed_at = now() - %s * interval '1 s'", (wait_s,))
        assert timers.release_verified([], 10) == 1
        queue.put_on_hold(queue.claim([False], 1, 60), "from_not_verified", "it has no road")
        assert timers.release_verified([], 10) == 0
    assert stages([id]) == ["held"]


def test_a_domain_whose_account_is_stopped_lets_nothing_go() -> None:
    held_from("a@example.org")
    id = live_account()
    sender_domains.keep(id, "example.org", "verified", True)
    accounts.stop(id, "paused")
    assert timers.release_verified([], 10) == 0


def test_a_mail_held_for_another_reason_is_not_let_go() -> None:
    accept(new_message(application()))
    queue.put_on_hold(claim(), "asked", None)
    sender_domains.keep(live_account(), "example.org", "verified", True)
    assert timers.release_verified([], 10) == 0
