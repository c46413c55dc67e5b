"""Each delivery leaves by the accounts of its route."""

import time
from collections import Counter
from uuid import UUID

import pytest

from postroom.domain.lane import Lane
from postroom.domain.sharing import preference
from postroom.ledger import accounts, routes, sender_domains
from postroom.ledger.timers import release_rerouted
from tests.fake_provider import fake_provider
from tests.fake_smtp import fake_smtp
from tests.helpers import eventually
from tests.sending.posting import people, post_http, post_smtp, reasons, rows, sending, stages
from tests.sending.roads import add, add_relay, make_sound, route

pytestmark = pytest.mark.usefixtures("ledger")

LIVE = {"simulated": False}
MAIL = b"From: Shop <shop@example.org>\r\nTo: all@corp.example\r\nSubject: Hi\r\n\r\nHello\r\n"


def test_mail_to_ones_own_groups_goes_by_the_internal_relay_and_the_rest_of_it_outside() -> None:
    with fake_provider() as provider, fake_smtp() as relay:
        add("main", provider)
        add_relay("internal", relay)
        route("internal", recipient_domain="corp.example")
        route("internal", recipient_domain=".corp.example")
        inside = ["board@corp.example", "all@groups.corp.example"]
        with sending():
            post_http([*inside, *people(3), "x@notcorp.example"])
            eventually(lambda: stages() == {"submitted": 6})
    assert sorted(relay.recipients()) == sorted(inside)
    assert sorted(provider.taken) == sorted([*people(3), "x@notcorp.example"])


def test_a_mail_by_smtp_is_routed_by_its_recipients_too() -> None:
    with fake_smtp() as outside, fake_smtp() as inside:
        add_relay("outside", outside)
        add_relay("inside", inside)
        route("inside", recipient_domain="corp.example")
        with sending():
            post_smtp(["all@corp.example", "a@example.org"], MAIL)
            eventually(lambda: stages() == {"submitted": 2})
    assert (outside.recipients(), inside.recipients()) == (["a@example.org"], ["all@corp.example"])


def test_the_most_specific_route_is_taken_and_the_next_once_it_is_removed() -> None:
    with fake_provider() as first, fake_provider() as second, fake_provider() as third:
        for name, provider in (("first", first), ("second", second), ("third", third)):
            add(name, provider)
        made = post_http(["a@example.org"])
        rows("DELETE FROM delivery WHERE message_id = %s RETURNING 1", made)
        route("second", lane=Lane.NORMAL)
        narrow = route("third", lane=Lane.NORMAL, application="shop")
        with sending():
            post_http(["b@example.org"])
            eventually(lambda: stages() == {"submitted": 1})
        assert routes.remove(narrow)
        assert not routes.remove(narrow)
        with sending():
            post_http(["c@example.org"])
            eventually(lambda: stages() == {"submitted": 2})
            post_http(["d@example.org"], {"lane": Lane.BULK})
            eventually(lambda: stages() == {"submitted": 3})
    assert (first.taken, second.taken, third.taken) == (
        ["d@example.org"],
        ["c@example.org"],
        ["b@example.org"],
    )


def test_the_shares_of_a_weighted_route_are_those_that_the_ids_give() -> None:
    with fake_provider() as first, fake_provider() as second:
        ids = [add("first", first), add("second", second)]
        make_sound()
        route("first", "second", weights=(70, 30))
        with sending():
            post_http(people(400))
            eventually(lambda: stages() == {"submitted": 400})
    found: list[tuple[UUID, str]] = rows("SELECT id, recipient FROM delivery")
    shares = dict.fromkeys(ids, 1.0)
    expected = Counter(preference(id, ids, [70, 30], shares)[0] for id, _ in found)
    assert [len(first.taken), len(second.taken)] == [expected[id] for id in ids]
    assert sorted(first.taken + second.taken) == people(400)
    assert len(first.asked) == len(second.asked) == 1


def test_a_live_route_is_not_for_simulated_mail() -> None:
    with fake_provider() as simulator, fake_provider() as live:
        add("simulator", simulator)
        add("live", live, simulated=False)
        route("live", simulated=False)
        with sending():
            post_http(["a@example.org"])
            eventually(lambda: stages() == {"submitted": 1})
    assert simulator.taken == ["a@example.org"]


def test_mail_whose_route_may_not_carry_it_is_held_and_looked_at_again_when_roads_change() -> None:
    with fake_provider() as other, fake_provider() as chosen:
        sender_domains.keep(add("other", other, False), "example.org", "verified", True)
        id = add("chosen", chosen, False)
        route("chosen", simulated=False)
        with sending():
            post_http(["a@example.org"], LIVE)
            eventually(lambda: stages() == {"held": 1})
            assert reasons() == {"a@example.org": "route_closed"}
            rows("UPDATE delivery SET changed_at = now() + interval '6 s' RETURNING 1")
            until = time.monotonic() + 5.2
            eventually(lambda: time.monotonic() > until)
            assert release_rerouted(10) == 0, "nothing has changed since"
            sender_domains.keep(id, "example.org", "verified", True)
            eventually(lambda: release_rerouted(10) == 1)
            eventually(lambda: stages() == {"submitted": 1})
    assert (other.taken, chosen.taken) == ([], ["a@example.org"])


def test_mail_whose_route_is_stopped_waits_and_takes_no_other() -> None:
    with fake_provider() as other, fake_provider() as chosen:
        add("other", other)
        accounts.stop(add("chosen", chosen), "stopped")
        route("chosen", recipient_domain="corp.example")
        with sending():
            post_http(["a@corp.example", "b@example.org"])
            eventually(lambda: stages() == {"submitted": 1, "queued": 1})
    assert (other.taken, chosen.taken) == (["b@example.org"], [])


def test_two_routes_for_the_same_mail_are_refused() -> None:
    with fake_provider() as provider:
        add("main", provider)
    route("main", lane=Lane.BULK)
    with pytest.raises(ValueError, match="already"):
        route("main", lane=Lane.BULK)
    with pytest.raises(LookupError, match="no account nobody"):
        route("nobody", lane=Lane.URGENT)
    assert len(routes.in_force()) == 1
