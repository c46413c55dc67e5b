"""The rehearsal of a failover: one of two accounts fails, the other takes over, nothing twice."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from postroom.domain.health import Health, State
from postroom.ledger import account_health, accounts, routes
from postroom.management.drill.stage import Provider, Stream, provider, sender

FIRST, SECOND = "first", "second"
_WAIT_S_MAX = 90.0
_LOOK_S = 0.1
_BEFORE = 20
"""Mails that leave before anything is made to happen."""

Say = Callable[[str], None]


class DrillFailed(Exception):
    """Something that was to happen did not; the message says what."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rehearsal came to; times are seconds after the failure, or after its end."""

    mails: int
    by_first: int
    by_second: int
    twice: int
    """Recipients for whom the providers took more than one mail."""
    lost: int
    """Recipients for whom they took none."""
    opened_after_s: float
    taken_over_after_s: float
    returned_after_s: float
    restored_after_s: float

    @property
    def passed(self) -> bool:
        """Whether everybody got their mail once."""
        return self.twice == self.lost == 0


def rehearse(directory: Path, say: Say) -> Outcome:
    """Make it happen, and tell it as it goes; raises DrillFailed."""
    with ExitStack() as stack:
        first = stack.enter_context(provider(FIRST, directory))
        second = stack.enter_context(provider(SECOND, directory))
        names = [(FIRST, None), (SECOND, None)]
        routes.add(True, None, None, None, None, names)
        stack.enter_context(sender())
        rest_s = settings.POSTROOM_FAILOVER_REST_S
        say(f"Two simulated accounts, {FIRST} and {SECOND}; an account rests {rest_s:g} s here.")
        _until("both accounts are warm", lambda: _states() == {State.SOUND})
        stream = stack.enter_context(Stream().running())
        return _played(first, second, stream, say)


def _played(first: Provider, second: Provider, stream: Stream, say: Say) -> Outcome:
    _until("mail leaves by the first", lambda: first.taken().total() >= _BEFORE)
    say(f"{first.taken().total()} urgent mails left by {FIRST}, none by {SECOND}.")
    failing = _fail(first, second, stream, say)
    mending = _mend(first, say)
    stream.stop()
    _until_all_left(first, second, stream)
    outcome = _counted(first, second, stream, (*failing, *mending))
    say(
        f"{outcome.mails} mails by the providers' own logs: {outcome.by_first} by {FIRST},"
        f" {outcome.by_second} by {SECOND}, {outcome.twice} twice, {outcome.lost} lost."
    )
    return outcome


def _fail(first: Provider, second: Provider, stream: Stream, say: Say) -> tuple[float, float]:
    """Seconds until the first account was given up, and until the second had taken over."""
    began_at = time.monotonic()
    first.make_mischief(error_before=1.0, error_status=503)
    say(f"{FIRST} fails now: it answers every call with 503.")
    _until("the first is given up", lambda: _health(FIRST).state is State.OPEN)
    opened_s = time.monotonic() - began_at
    say(f"After {opened_s:.1f} s {FIRST} is given up ({_health(FIRST).why}).")
    _until_all_left(first, second, stream)
    taken_over_s = time.monotonic() - began_at
    say(f"After {taken_over_s:.1f} s everything that waited has left by {SECOND}.")
    return opened_s, taken_over_s


def _mend(first: Provider, say: Say) -> tuple[float, float]:
    """Seconds until the first account carried a little again, and until it carried all."""
    began_at = time.monotonic()
    first.make_mischief()
    say(f"{FIRST} does well again.")
    _until("the first returns", lambda: _health(FIRST).state is State.RETURNING)
    returned_s = time.monotonic() - began_at
    say(f"After {returned_s:.1f} s {FIRST} has rested and returns, a little at first.")
    _until("the first is sound again", lambda: _health(FIRST).state is State.SOUND)
    before = first.taken().total()
    _until("mail leaves by the first again", lambda: first.taken().total() >= before + _BEFORE)
    restored_s = time.monotonic() - began_at
    say(f"After {restored_s:.1f} s mail leaves by {FIRST} as before.")
    return returned_s, restored_s


def _counted(
    first: Provider, second: Provider, stream: Stream, times: tuple[float, float, float, float]
) -> Outcome:
    by_first, by_second = first.taken(), second.taken()
    taken = by_first + by_second
    return Outcome(
        len(stream.recipients),
        by_first.total(),
        by_second.total(),
        sum(count > 1 for count in taken.values()),
        sum(taken[recipient] == 0 for recipient in stream.recipients),
        *(round(seconds, 1) for seconds in times),
    )


def _until_all_left(first: Provider, second: Provider, stream: Stream) -> None:
    """Everybody who was written to until now got their mail."""
    waiting = set(stream.recipients)
    _until(
        "what waited has left",
        lambda: waiting <= first.taken().keys() | second.taken().keys(),
    )


def _until(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_S_MAX
    while not is_so():
        if time.monotonic() > deadline:
            raise DrillFailed(f"After {_WAIT_S_MAX:g} s it is not so that {what}.")
        time.sleep(_LOOK_S)


def _health(name: str) -> Health:
    row = accounts.by_name(name)
    if row is None:
        raise DrillFailed(f"The account {name} is gone.")
    return account_health.standing()[row.id][0]


def _states() -> set[State]:
    return {health.state for health, _ in account_health.standing().values()}
