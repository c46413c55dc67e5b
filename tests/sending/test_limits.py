"""No second of an account ever sees more than its limit, whoever sends."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.lane import Lane
from postroom.domain.limits import Limits, open_to
from postroom.ledger import accounts, paces
from postroom.ledger.paces import Standing, Turns
from postroom.sending.meter import Later, Meter
from tests.fake_provider import Asked, Says, fake_provider
from tests.helpers import eventually
from tests.sending.posting import add_account, people, post_http, sending, stages

UNTAUGHT = Standing(0, None, None, None)


def most_in_a_second(instants: Sequence[float]) -> int:
    """The fullest second, wherever it begins."""
    ordered = sorted(instants)
    return max(sum(start <= at < start + 1 for at in ordered) for start in ordered)


@pytest.mark.parametrize(
    ("settings", "standing", "limits"),
    [
        ({}, None, Limits()),
        ({"calls_per_s": "5", "recipients_per_day": "1e3"}, None, Limits(5, None, 1000)),
        ({"calls_per_s": "5"}, Standing(0, 2, 14, 200), Limits(2, 14, 200)),
        ({"recipients_per_s": "10"}, Standing(0, None, 14, None), Limits(None, 10, None)),
        ({"calls_per_s": "0", "recipients_per_s": "x", "recipients_per_day": "inf"},
         UNTAUGHT, Limits()),
    ],
)  # fmt: skip
def test_the_narrowest_limit_counts(
    settings: dict[str, str], standing: Standing | None, limits: Limits
) -> None:
    assert Limits.of(settings, standing, 1) == limits
    assert limits.bind is (limits != Limits())


@given(
    limit=st.integers(1, 2000),
    batch_size=st.integers(1, 1000),
    sizes=st.lists(st.integers(1, 1000), min_size=1, max_size=60),
)
def test_calls_that_keep_their_stretches_never_overfill_a_second(
    limit: int, batch_size: int, sizes: list[int]
) -> None:
    limits = Limits(recipients_per_s=limit, batch_size=batch_size)
    at, made = 0.0, []
    for size in (min(size, limits.recipients_max or 1) for size in sizes):
        made.append((at, size))
        at += limits.stretch_s(size)
    for start, _ in made:
        assert sum(size for at, size in made if start <= at < start + 0.999) <= limit


def met(meter: Meter, lanes: Sequence[Lane]) -> list[tuple[float, Lane]]:
    """When calls of these lanes, all waiting at once, had their turn."""
    came: list[tuple[float, Lane]] = []

    async def call(lane: Lane) -> None:
        await meter.come(await meter.turn(lane, 1), lane, 1)
        came.append((time.monotonic(), lane))

    async def all_of_them() -> None:
        await asyncio.gather(*map(call, lanes))

    asyncio.run(all_of_them())
    return came


@dataclass
class Taken:
    """What a meter has taken in all."""

    seconds: float = 0.0
    recipients: int = 0


def schedule(taken: Taken | None = None) -> Meter:
    """A meter whose turns follow one another from now on, as the ledger gives them."""
    ends = 0.0
    noted = taken or Taken()

    def take(stretch_s: float, recipients: int, per_day: float | None) -> Turns:
        nonlocal ends
        del per_day
        noted.seconds += stretch_s
        noted.recipients += recipients
        start = max(ends, time.monotonic())
        ends = start + stretch_s
        return Turns(start - time.monotonic(), begins_s=start)

    return Meter(take)


def test_urgent_calls_have_their_turn_first_and_bulk_last() -> None:
    meter = schedule()
    meter.limits = Limits(calls_per_s=100)
    lanes = [Lane.BULK] * 20 + [Lane.NORMAL] * 5 + [Lane.URGENT] * 5

    async def turns() -> list[float]:
        return list(await asyncio.gather(*(meter.turn(lane, 1) for lane in lanes)))

    in_order = sorted(zip(asyncio.run(turns()), lanes, strict=True))
    assert [lane for _, lane in in_order] == sorted(lanes)


def with_urgent_mail_between(limits: Limits) -> Taken:
    """Sixty calls to ten, of which every third is followed by an urgent one to one."""
    taken = Taken()
    meter = schedule(taken)
    meter.limits = limits

    async def call(number: int) -> None:
        await meter.turn(Lane.BULK, 10)
        if number % 3 == 0:
            await meter.turn(Lane.URGENT, 1)

    async def all_of_them() -> None:
        await asyncio.gather(*map(call, range(60)))

    asyncio.run(all_of_them())
    return taken


def test_an_urgent_call_takes_up_no_more_than_its_own_part_of_a_limit() -> None:
    limits = Limits(recipients_per_s=800, batch_size=10)
    needed_s = 60 * limits.stretch_s(10) + 20 * limits.stretch_s(1)
    assert with_urgent_mail_between(limits).seconds < 1.2 * needed_s


def test_every_recipient_is_counted_to_the_day_once() -> None:
    limits = Limits(recipients_per_s=800, recipients_per_day=1e6, batch_size=10)
    assert with_urgent_mail_between(limits).recipients == 60 * 10 + 20


def test_a_meter_without_limits_lets_everybody_pass_and_asks_nobody() -> None:
    def take(*_: object) -> Turns:
        raise AssertionError("asked")

    assert len(met(Meter(take), [Lane.BULK] * 50)) == 50


def test_whoever_would_wait_too_long_is_sent_away_with_the_time() -> None:
    meter = Meter(lambda _s, _n, _d: Turns(30.0, given=False))
    meter.limits = Limits(calls_per_s=1)
    with pytest.raises(Later) as raised:
        met(meter, [Lane.BULK])
    assert raised.value.in_s == 30


def test_whoever_waits_is_told_when_no_turn_can_be_had() -> None:
    def take(*_: object) -> Turns:
        raise ZeroDivisionError

    meter = Meter(take)
    meter.limits = Limits(calls_per_s=1)
    with pytest.raises(ZeroDivisionError):
        met(meter, [Lane.BULK])


def turns_of(meter: Meter, calls: int) -> list[float]:
    """The instants of the turns of so many calls that wait at once."""

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*(meter.turn(Lane.BULK, 1) for _ in range(calls)))

    return asyncio.run(all_of_them())


def test_what_another_sender_took_in_between_is_not_used() -> None:
    ours: list[tuple[float, float]] = []

    def take(stretch_s: float, recipients: int, per_day: float | None) -> Turns:
        del recipients, per_day
        start = max(time.monotonic(), ours[-1][1] + 0.005 if ours else 0.0)
        ours.append((start, start + stretch_s))
        return Turns(start - time.monotonic(), begins_s=start)

    meter = Meter(take)
    meter.limits = Limits(calls_per_s=200)
    assert all(
        any(begins - 0.001 <= at <= ends + 0.001 for begins, ends in ours)
        for at in turns_of(meter, 100)
    )


def test_an_answer_that_comes_late_makes_no_turn_later() -> None:
    late = Turns(0.3, told_at=time.monotonic() - 0.2)
    meter = Meter(lambda *_: late)
    meter.limits = Limits(calls_per_s=1)
    assert turns_of(meter, 1) == [late.told_at + late.in_s]


def test_a_full_day_sends_nobody_away_whom_it_has_counted() -> None:
    def take(_stretch_s: float, recipients: int, _per_day: float | None) -> Turns:
        return Turns(0.0) if recipients == 0 else Turns(60.0, given=False, day_is_full=True)

    meter = Meter(take)
    meter.limits = Limits(recipients_per_day=1)

    async def both() -> list[float | BaseException]:
        late = meter.turn(Lane.BULK, 1, counts=False)
        new = meter.turn(Lane.BULK, 1)
        return list(await asyncio.gather(new, late, return_exceptions=True))

    new, late = asyncio.run(both())
    assert isinstance(new, Later)
    assert isinstance(late, float)


@pytest.mark.usefixtures("ledger")
def test_two_senders_together_keep_the_limit_of_an_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[float] = []
    come = Meter.come

    async def noted(meter: Meter, at: float, lane: Lane, recipients: int) -> None:
        await come(meter, at, lane, recipients)
        made.append(time.monotonic())

    # Where calls leave: how long each is on its way is the machine's affair.
    monkeypatch.setattr(Meter, "come", noted)
    with fake_provider() as provider:
        add_account(provider, calls_per_s="20")
        for number in range(60):
            post_http(["a@example.org"], subject=str(number))
        with sending(), sending():
            eventually(lambda: stages() == {"submitted": 60}, within_s=30)
    assert len(provider.taken) == len(made) == 60
    assert most_in_a_second(made) <= 20


@pytest.mark.usefixtures("ledger")
def test_an_account_of_a_call_in_seconds_makes_it() -> None:
    with fake_provider() as provider:
        add_account(provider, calls_per_s="0.4")
        for number in range(3):
            post_http(["a@example.org"], subject=str(number))
        with sending():
            eventually(lambda: stages() == {"submitted": 3}, within_s=20)
    assert len(provider.taken) == 3


@pytest.mark.usefixtures("ledger")
def test_a_day_that_is_full_leaves_the_rest_in_the_queue() -> None:
    with fake_provider() as provider:
        add_account(provider, recipients_per_day="3")
        for number in range(5):
            post_http(["a@example.org"], subject=str(number))
        with sending():
            eventually(lambda: len(provider.taken) == 3)
            eventually(lambda: stages() == {"submitted": 3, "queued": 2})
    assert len(provider.taken) == 3


@pytest.mark.usefixtures("ledger")
def test_a_day_that_holds_less_than_a_call_could_is_used_up() -> None:
    with fake_provider() as provider:
        add_account(provider, recipients_per_day="31")
        post_http(people(40))
        with sending():
            eventually(lambda: stages() == {"submitted": 30, "queued": 10})
    assert len(provider.taken) == 30


@pytest.mark.usefixtures("ledger")
def test_the_last_of_a_full_day_is_left_for_urgent_mail() -> None:
    with fake_provider() as provider:
        add_account(provider, recipients_per_day="40")
        post_http(people(45))
        with sending():
            eventually(lambda: stages() == {"submitted": 38, "queued": 7})
            post_http(["a@example.org"], {"lane": Lane.URGENT})
            eventually(lambda: stages() == {"submitted": 39, "queued": 7})


@given(st.floats(1, 1e9))
def test_what_is_kept_for_urgent_mail_leaves_something_to_the_others(per_day: float) -> None:
    assert open_to(Lane.URGENT, per_day) == per_day
    assert 0 < open_to(Lane.BULK, per_day) == open_to(Lane.NORMAL, per_day) <= per_day
    assert open_to(Lane.BULK, per_day) < per_day or per_day < 20


@pytest.mark.usefixtures("ledger")
def test_a_call_to_many_is_cut_to_what_a_second_of_the_account_can_hold() -> None:
    with fake_provider() as provider:
        add_account(provider, recipients_per_s="200")
        post_http(people(40))
        with sending():
            eventually(lambda: stages() == {"submitted": 40})
    assert {len(asked.recipients) for asked in provider.asked} == {2}


@pytest.mark.usefixtures("ledger")
def test_a_429_makes_every_sender_wait() -> None:
    with fake_provider(lambda _asked: Says(429, headers={"Retry-After": "3600"})) as provider:
        add_account(provider)
        post_http(people(1))
        with sending(), sending():
            eventually(lambda: len(provider.asked) == 1)
            row = accounts.by_name("account")
            assert row is not None
            eventually(lambda: paces.standings().get(row.id, UNTAUGHT).rest_s > 0)
            eventually(lambda: stages() == {"queued": 1})
            post_http(["b@example.org"])
            until = time.monotonic() + 2.5
            eventually(lambda: time.monotonic() > until)
    # Two calls at the most: the other sender may have claimed before it was told.
    assert len(provider.asked) <= 2
    assert stages() == {"queued": 2}


def with_its_last_call(_asked: Asked) -> Says:
    reset = str(int(time.time()) + 50)
    return Says(202, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})


@pytest.mark.usefixtures("ledger")
def test_the_last_call_that_a_provider_allows_for_now_lets_the_account_rest() -> None:
    with fake_provider(with_its_last_call) as provider:
        add_account(provider)
        post_http(["a@example.org"])
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
            post_http(["b@example.org"])
            until = time.monotonic() + 1.5
            eventually(lambda: time.monotonic() > until)
    assert stages() == {"submitted": 1, "queued": 1}
    assert len(provider.asked) == 1
    (standing,) = paces.standings().values()
    assert standing.rest_s > 20, "other senders are told too"


@pytest.mark.usefixtures("ledger")
def test_an_account_that_has_turns_never_rests_after_the_last_of_a_second() -> None:
    with fake_provider(with_its_last_call) as provider:
        add_account(provider, calls_per_s="1000")
        post_http(["a@example.org"])
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
            post_http(["b@example.org"])
            eventually(lambda: stages() == {"submitted": 2})
