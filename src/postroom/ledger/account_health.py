"""The health of accounts: what all senders and interpreters met with, and what is made of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.domain.health import KEPT, SLOT_S, Health, Pulse, Seen, State, step
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.flow import PART

_SLOT = f"date_bin('{SLOT_S} s', now(), 'epoch')"
_COUNTED = ("calls", "errors", "throttled", "slow")


@dataclass(frozen=True, slots=True)
class Calls:
    """How calls of one account ended since they were last noted."""

    account_id: int
    calls: int
    errors: int
    throttled: int
    slow: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one account's health."""

    account: str
    before: Health
    after: Health


def note_calls(calls: Sequence[Calls]) -> None:
    """Add what one sender met with to the present slot."""
    columns = ", ".join(_COUNTED)
    more = ", ".join(f"{name} = pulse.{name} + excluded.{name}" for name in _COUNTED)
    with connection() as conn:
        conn.execute(
            f"INSERT INTO account_pulse AS pulse (account_id, slot_at, {columns})"
            f" SELECT account_id, {_SLOT}, {columns}"
            f"   FROM unnest(%s::integer[], %s::integer[], %s::integer[], %s::integer[],"
            f"               %s::integer[]) AS met (account_id, {columns})"
            "  ORDER BY account_id"
            f" ON CONFLICT (account_id, slot_at) DO UPDATE SET {more}",
            [[getattr(one, name) for one in calls] for name in ("account_id", *_COUNTED)],
        )


def note_words(conn: Connection, told: Mapping[int, int], blocked: Mapping[int, int]) -> None:
    """Add final words about mails of each account, inside the caller's transaction, at its end.

    In parts, as interpreters would otherwise wait for one another's commits.
    """
    for account_id, count in sorted(told.items()):
        conn.execute(
            "INSERT INTO account_words AS words (account_id, slot_at, part, told, blocked)"
            f" VALUES (%s, {_SLOT}, {PART}, %s, %s)"
            " ON CONFLICT (account_id, slot_at, part) DO UPDATE"
            "   SET told = words.told + excluded.told,"
            "       blocked = words.blocked + excluded.blocked",
            (account_id, count, blocked.get(account_id, 0)),
        )


_PULSES = """
SELECT account_id, slot_at, calls, errors, throttled, slow, 0, 0
  FROM account_pulse WHERE slot_at > now() - %(kept)s
 UNION ALL
SELECT account_id, slot_at, 0, 0, 0, 0, told, blocked
  FROM account_words WHERE slot_at > now() - %(kept)s
"""


def judge(rest: timedelta) -> list[Change]:
    """Judge every account anew; what has changed. Any number of senders may do it at any time."""
    with transaction() as conn:
        _begin_new(conn)
        rows = conn.execute(
            "SELECT account.id, name, state, since, why, now(), stopped_at IS NOT NULL,"
            "       GREATEST(0, extract(epoch FROM ("
            "           SELECT rest_until FROM account_pace WHERE account_id = account.id)"
            "           - now()))::float8,"
            "       EXISTS (SELECT FROM incident"
            "                WHERE incident.account_id = account.id AND ended_at IS NULL)"
            "  FROM account_health"
            "  JOIN account ON account.id = account_id"
            " ORDER BY account.id"
            "   FOR UPDATE OF account_health SKIP LOCKED"
        ).fetchall()
        pulses = _pulses(conn)
        changes = []
        for id, name, state, since, why, now, *met in rows:
            before = Health(State(state), since, why)
            seen = Seen(pulses.get(id, ()), *met)
            after = step(before, seen, now, rest)
            if after is not before:
                _write(conn, id, after)
                changes.append(Change(name, before, after))
        return changes


def _begin_new(conn: Connection) -> None:
    """An account that was never judged is cold since it was made."""
    conn.execute(
        "INSERT INTO account_health (account_id, state, since, why)"
        " SELECT id, 'returning', created_at, 'new' FROM account"
        "  WHERE id NOT IN (SELECT account_id FROM account_health)"
        " ON CONFLICT DO NOTHING"
    )


def _pulses(conn: Connection) -> dict[int, list[Pulse]]:
    found: dict[int, list[Pulse]] = {}
    for account_id, at, *counts in conn.execute(_PULSES, {"kept": KEPT}):
        found.setdefault(account_id, []).append(Pulse(at, *counts))
    return found


def _write(conn: Connection, account_id: int, health: Health) -> None:
    conn.execute(
        "UPDATE account_health SET state = %s, since = %s, why = %s WHERE account_id = %s",
        (health.state, health.since, health.why, account_id),
    )


def forget_old() -> int:
    """How many slots were dropped that no window looks back to."""
    dropped = 0
    with connection() as conn:
        for table in ("account_pulse", "account_words"):
            dropped += conn.execute(
                f"DELETE FROM {table} WHERE slot_at < now() - %s", (2 * KEPT,)
            ).rowcount
    return dropped


def standing() -> dict[int, tuple[Health, datetime]]:
    """By account id: its health, and the database's present time to read it by."""
    with connection() as conn:
        rows: Iterable[tuple[int, str, datetime, str, datetime]] = conn.execute(
            "SELECT account_id, state, since, why, now() FROM account_health"
        ).fetchall()
    return {id: (Health(State(state), since, why), now) for id, state, since, why, now in rows}


def shares(rest: timedelta) -> dict[str, float]:
    """By name, the part of its usual mail that each account carries that was judged."""
    with connection() as conn:
        names: dict[int, str] = dict(conn.execute("SELECT id, name FROM account").fetchall())
    return {names[id]: health.share(now, rest) for id, (health, now) in standing().items()}
