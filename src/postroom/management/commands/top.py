"""`postroom top`: what is on its way out, at what pace, and what it waits for; live."""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from postroom.domain.lane import Lane
from postroom.domain.limits import Limits, open_to
from postroom.ledger import (
    accounts,
    call_leases,
    held,
    in_doubt,
    paces,
    progress,
    receivers,
    spikes,
)
from postroom.ledger.accounts import AccountRow
from postroom.ledger.clock import utc_now
from postroom.ledger.paces import Standing
from postroom.ledger.progress import Pace, Waiting
from postroom.management import guard_watch, spike_watch
from postroom.management.commands.printing import add_json, print_json
from postroom.management.workplace import ledger_open

_CLEAR = "\x1b[H\x1b[2J"
_SHOWN_MAX = 20
"""Communications on the screen, those with the most to go first."""


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("--once", action="store_true", help="show it once and end")
    parser.add_argument(
        "--every", type=float, default=2.0, metavar="SECONDS", help="between two looks; default 2"
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Shows it until Ctrl-C, or once where that is asked for or nobody looks at a terminal."""
    with ledger_open():
        while True:
            seen = look(utc_now())
            if arguments.json:
                print_json(seen)
            else:
                print("\n".join(as_text(seen)))
            if arguments.once or arguments.json or not sys.stdout.isatty():
                return 0
            time.sleep(max(0.2, arguments.every))
            print(_CLEAR, end="")


def look(now: datetime) -> dict[str, Any]:
    """All that is shown: lanes, accounts, communications, what is held, near a line, in doubt."""
    from postroom.reports import forecast, report_shapes

    waiting, lately = progress.waiting(), progress.paces()
    return {
        "at": now,
        "lanes": [_lane(lane, waiting, now) for lane in Lane],
        "accounts": list(_accounts(lately)),
        "communications": [
            _described(mine[0])
            | report_shapes.forecast(
                forecast.of_waiting(
                    mine,
                    mine[0].application_id,
                    mine[0].communication_id,
                    mine[0].simulated,
                    lately,
                    now,
                )
            )
            for mine in _by_communication(waiting)
        ],
        "receivers": [asdict(one) for one in receivers.slowed()],
        "held": [asdict(one) for one in held.held()],
        "in_doubt": [asdict(one) for one in in_doubt.in_doubt()],
        "guard": [said for _, said in guard_watch.sentences()],
        "receivers_refusing": [spike_watch.sentence(one) for one in spikes.standing()],
        "attempts_open": progress.open_questions(),
    }


def _lane(lane: Lane, waiting: Sequence[Waiting], now: datetime) -> dict[str, Any]:
    mine = [one for one in waiting if one.lane is lane]
    oldest = min((one.oldest_at for one in mine if one.oldest_at is not None), default=None)
    return {
        "lane": lane.label,
        "due": sum(one.due for one in mine),
        "later": sum(one.later for one in mine),
        "oldest_s": None if oldest is None else round((now - oldest).total_seconds(), 1),
    }


def _accounts(lately: Sequence[Pace]) -> Iterator[dict[str, Any]]:
    standings, held_calls = paces.standings(), call_leases.held()
    for account in accounts.all_accounts():
        mine = [pace for pace in lately if pace.account_id == account.id]
        standing = standings.get(account.id)
        yield {
            "account": account.name,
            "recipients_per_s": round(sum(pace.recipients_per_s for pace in mine), 1),
            "calls_per_s": round(sum(pace.calls_per_s for pace in mine), 1),
            "rests_s": round(standing.rest_s, 1) if standing is not None else 0.0,
            **_day(account, standing),
            "calls_held": held_calls.get(account.id, 0),
            "calls_in_flight": Limits.of(account.settings, standing, 1).calls_in_flight,
            "stopped": account.stopped_why if account.stopped else None,
        }


def _day(account: AccountRow, standing: Standing | None) -> dict[str, float | None]:
    """What the account has had of its day, and how much of that only urgent mail may use."""
    per_day = Limits.of(account.settings, standing, 1).recipients_per_day
    return {
        "recipients_today": None if per_day is None or standing is None else standing.day_count,
        "recipients_per_day": per_day,
        "kept_for_urgent": None if per_day is None else per_day - open_to(Lane.NORMAL, per_day),
    }


def _by_communication(waiting: Sequence[Waiting]) -> list[list[Waiting]]:
    groups: dict[tuple[int, int | None, bool], list[Waiting]] = {}
    for one in waiting:
        key = (one.application_id, one.communication_id, one.simulated)
        groups.setdefault(key, []).append(one)
    return sorted(groups.values(), key=lambda mine: -sum(one.due + one.later for one in mine))


def _described(one: Waiting) -> dict[str, Any]:
    return {
        "application": one.application,
        "communication": one.communication,
        "simulated": one.simulated,
    }


def as_text(seen: dict[str, Any]) -> list[str]:
    """The lines of the screen."""
    from postroom.reports.sentences import moment

    parts = [
        [f"Postroom, {moment(seen['at'])}; {seen['attempts_open']} calls without an end"],
        _lanes_table(seen["lanes"]),
        _accounts_table(seen["accounts"]),
        _on_its_way(seen["communications"][:_SHOWN_MAX]),
        _receivers_table(seen["receivers"][:_SHOWN_MAX]),
        _held_table(seen["held"][:_SHOWN_MAX]),
        [f"  {said}" for said in seen["guard"][:_SHOWN_MAX]],
        [f"  {said}" for said in seen["receivers_refusing"][:_SHOWN_MAX]],
        _doubt_table(seen["in_doubt"][:_SHOWN_MAX]),
    ]
    lines = [line for part in parts if part for line in (*part, "")]
    return lines[:-1]


def _lanes_table(lanes: Sequence[dict[str, Any]]) -> list[str]:
    rows = [("lane", "due", "later", "oldest waits")]
    rows += [
        (one["lane"], f"{one['due']:,}", f"{one['later']:,}", _seconds(one["oldest_s"]))
        for one in lanes
    ]
    return _table(rows, 1, 2, 3)


def _accounts_table(accounts: Sequence[dict[str, Any]]) -> list[str]:
    rows = [("account", "recipients/s", "calls/s", "in flight", "today", "state")]
    rows += [
        (
            one["account"],
            f"{one['recipients_per_s']:,}",
            f"{one['calls_per_s']:,}",
            _in_flight(one),
            _today(one),
            _state(one),
        )
        for one in accounts
    ]
    return _table(rows, 1, 2, 3, 4)


def _on_its_way(communications: Sequence[dict[str, Any]]) -> list[str]:
    from postroom.reports.sentences import moment

    if not communications:
        return ["  Nothing waits in the queue."]
    rows = [("communication", "remaining", "a second", "through", "set by")]
    rows += [
        (
            _name(one),
            f"{one['remaining']:,}",
            f"{one['recipients_per_s']:,}",
            "-" if one["through_at"] is None else moment(one["through_at"]),
            one["limited_by"] or "-",
        )
        for one in communications
    ]
    return _table(rows, 1, 2)


def _receivers_table(slowed: Sequence[dict[str, Any]]) -> list[str]:
    rows = [("receiver that asked for less", "recipients/s", "state")]
    rows += [
        (
            one["receiver"] + (" (simulated)" if one["simulated"] else ""),
            f"{one['per_s']:,.1f}",
            f"rests {one['rest_s']:.1f} s" if one["rest_s"] else "grows",
        )
        for one in slowed
    ]
    return _table(rows, 1) if slowed else []


def _held_table(held: Sequence[dict[str, Any]]) -> list[str]:
    rows = [("held", "deliveries", "reason")]
    rows += [(_name(one), f"{one['count']:,}", one["reason"]) for one in held]
    return _table(rows, 1) if held else []


def _doubt_table(doubtful: Sequence[dict[str, Any]]) -> list[str]:
    from postroom.reports.sentences import moment

    rows = [("in doubt", "deliveries", "sent again", "since")]
    rows += [
        (_name(one), f"{one['count']:,}", f"{one['sent_again']:,}", moment(one["since"]))
        for one in doubtful
    ]
    return _table(rows, 1, 2) if doubtful else []


def _name(one: dict[str, Any]) -> str:
    return f"{one['application']}/{one['communication'] or '-'}"


def _table(rows: Sequence[Sequence[str]], *numbers: int) -> list[str]:
    from postroom.reports.terminal import columns

    return list(columns(rows, frozenset(numbers)))


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:,.1f} s"


def _in_flight(one: dict[str, Any]) -> str:
    most = one["calls_in_flight"]
    return "-" if most is None else f"{one['calls_held']:,} of {most:,}"


def _today(one: dict[str, Any]) -> str:
    if one["recipients_per_day"] is None:
        return "-"
    kept = f" ({one['kept_for_urgent']:,.0f} urgent)" if one["kept_for_urgent"] else ""
    return f"{one['recipients_today'] or 0:,} of {one['recipients_per_day']:,.0f}{kept}"


def _state(one: dict[str, Any]) -> str:
    if one["stopped"] is not None:
        return "stopped"
    return f"rests {one['rests_s']} s" if one["rests_s"] else "in use"
