"""What stops the writing to an address: at once, on repeat, and never for another's fault."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.domain.reason_table import REASONS, Fault, Suppress
from postroom.domain.repeats import REPEATS
from postroom.domain.suppression import ENDS_AFTER, Asked, Failure, asked_by, condemned, ends_at
from tests.domain.told import Event

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def days(*numbers: float) -> list[datetime]:
    return [NOON + timedelta(days=number) for number in numbers]


def always(_start: datetime, _end: datetime) -> bool:
    return True


def stops(
    reason: str, failed_at: Sequence[datetime], proved_at: datetime | None = None
) -> list[str]:
    failures = [Failure(reason, at, at_once=False) for at in failed_at]
    return list(condemned(failures, proved_at, always))


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (Event(enhanced_code="5.1.1"), Asked("address_unknown")),
        (Event(EventType.COMPLAINED), Asked("complained_before")),
        (
            Event(EventType.SUPPRESSED, provider_class="Spam Reporting Address"),
            Asked("complained_before"),
        ),
        (Event(EventType.UNSUBSCRIBED), Asked("unsubscribed", in_kind=True)),
        (Event(enhanced_code="5.2.2"), Asked("mailbox_full", at_once=False)),
        (Event(enhanced_code="4.2.2", given_up=True), Asked("mailbox_full", at_once=False)),
        (Event(enhanced_code="4.4.7", given_up=True), Asked("gave_up", at_once=False)),
        (Event(EventType.SUPPRESSED, provider_class="Bounced Address"), None),
        (Event(EventType.DEFERRED, enhanced_code="5.1.1"), None),
        (Event(EventType.DEFERRED, enhanced_code="4.2.2"), None),
        (Event(enhanced_code="5.7.1"), None),
        (Event(EventType.DELIVERED), None),
    ],
)
def test_an_event_asks_at_once_with_others_or_not_at_all(event: Event, asked: Asked | None) -> None:
    assert asked_by(event.type, read(event, "sendgrid")) == asked


def test_a_machine_unsubscribes_nobody() -> None:
    event = Event(EventType.UNSUBSCRIBED)
    assert asked_by(event.type, read(event), machine=True) is None


def test_only_the_recipient_s_own_failure_stops_mail() -> None:
    """`gave_up` alone is the receiver's, and counts only while its domain takes other mail."""
    asking = {name for name, row in REASONS.items() if row.suppress is not Suppress.NO}
    others = {name for name in asking if REASONS[name].fault is not Fault.RECIPIENT}
    assert others == {"gave_up"}
    on_repeat = {name for name in asking if REASONS[name].suppress is Suppress.ON_REPEAT}
    assert on_repeat == REPEATS.keys() == ENDS_AFTER.keys()


@pytest.mark.parametrize(
    ("reason", "failed_at", "stopped"),
    [
        ("domain_unknown", days(0, 1), True),
        ("domain_unknown", days(0, 0.1, 0.2), False),
        ("mailbox_disabled", days(0, 29), True),
        ("mailbox_disabled", days(0, 31), False),
        ("mailbox_full", days(0, 1), False),
        ("mailbox_full", days(0, 7, 14), True),
        ("mailbox_full", days(0, 7, 15), False),
        ("mailbox_full", days(-9, 0, 7, 9), True),
        ("gave_up", days(0, 1, 2, 3, 4, 5), False),
        ("gave_up", days(0, 3, 6), True),
        ("receiver_down", days(*range(10)), False),
    ],
)
def test_what_is_repeated_on_other_days_stops_mail(
    reason: str, failed_at: Sequence[datetime], stopped: bool
) -> None:
    assert bool(stops(reason, failed_at)) is stopped


def test_two_failures_around_midnight_are_of_different_days() -> None:
    midnight = NOON.replace(hour=0)
    before = midnight - timedelta(seconds=1)
    assert stops("mailbox_disabled", [before, midnight]) == ["mailbox_disabled"]


def test_a_mail_that_arrived_says_more_than_what_failed_before_it() -> None:
    failed_at = days(0, 3, 6)
    for reason in REPEATS:
        assert stops(reason, failed_at) == [reason]
        assert stops(reason, failed_at, days(6)[0]) == []
    dead = [Failure("address_unknown", NOON, at_once=True)]
    assert condemned(dead, NOON - timedelta(seconds=1), always)
    assert not condemned(dead, NOON + timedelta(seconds=1), always)


def test_a_mail_given_up_counts_only_where_the_domain_took_other_mail_meanwhile() -> None:
    failures = [Failure("gave_up", at, at_once=False) for at in days(0, 3, 6, 9)]
    silent_until = days(2)[0]
    assert not condemned(failures, None, lambda _start, _end: False)
    assert condemned(failures, None, lambda _start, end: end > silent_until)
    assert not condemned(failures[:3], None, lambda start, _end: start > silent_until)


moments = st.integers(min_value=0, max_value=40 * 24).map(lambda h: NOON + timedelta(hours=h))
failures = st.builds(
    Failure,
    reason=st.sampled_from([*REPEATS, "address_unknown"]),
    at=moments,
    at_once=st.just(value=False),
)


@given(st.lists(failures), st.none() | moments, st.data())
def test_order_and_repetition_change_nothing(
    told: list[Failure], proved_at: datetime | None, data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(told))) if told else []
    shuffled = data.draw(st.permutations([*told, *repeats]))
    assert condemned(shuffled, proved_at, always) == condemned(told, proved_at, always)


@given(st.lists(failures), st.lists(failures))
def test_what_is_told_later_acquits_nobody(early: list[Failure], late: list[Failure]) -> None:
    """Delay decides when an address is stopped, never whether: more failures only add."""
    spaced = [one for one in early + late if one.reason != "gave_up"]
    first = [one for one in early if one.reason != "gave_up"]
    assert condemned(first, None, always).keys() <= condemned(spaced, None, always).keys()


def test_probation_begins_after_the_time_of_the_reason() -> None:
    assert ends_at("mailbox_full", NOON) == days(30)[0]
    assert ends_at("mailbox_disabled", NOON) == days(90)[0]
    assert ends_at("address_unknown", NOON) is None
    assert ends_at("complained_before", NOON) is None
