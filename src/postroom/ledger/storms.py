"""Storms: while a domain fails too many at once, what it says is kept in quarantine."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from postroom.domain.storm import SLOT
from postroom.domain.suppression import CHOICES, ENDS_AFTER
from postroom.ledger import domain_words
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.domain_words import Domain
from postroom.ledger.suppressions import DOMAIN

log = logging.getLogger(__name__)

_KIND = "storm"
_SLOT_OF = f"date_bin('{SLOT.total_seconds():.0f} s', failed_at, 'epoch')"
_OF_DOMAIN = (
    f"simulated = %s AND {DOMAIN} = %s AND lifted_at IS NULL AND source = 'event'"
    " AND reason <> ALL(%s)"
)


def quarantine_ends(now: datetime) -> datetime:
    """When what is quarantined now may have its trial."""
    return now + timedelta(seconds=settings.POSTROOM_QUARANTINE_S)


def met(
    conn: Connection, slots: Mapping[Domain, Collection[datetime]]
) -> dict[Domain, frozenset[datetime]]:
    """The stormy slots of domains that failed somebody in these.

    What was suppressed in them before the storm was seen goes into quarantine too.
    """
    found = domain_words.storms(conn, slots)
    for domain, stormy in found.items():
        _quarantine(conn, domain, stormy)
        _open(conn, domain, stormy)
    return found


def _quarantine(conn: Connection, domain: Domain, stormy: Collection[datetime]) -> None:
    conn.execute(
        "UPDATE suppression"
        "   SET quarantined_until = now() + make_interval(secs => %s),"
        "       expires_at = now() + make_interval(secs => %s)"
        f" WHERE {_OF_DOMAIN} AND quarantined_until IS NULL AND trial_at IS NULL"
        f"   AND {_SLOT_OF} = ANY(%s)",
        (*2 * [settings.POSTROOM_QUARANTINE_S], *domain, sorted(CHOICES), sorted(stormy)),
    )


def _open(conn: Connection, domain: Domain, stormy: Collection[datetime]) -> None:
    """One incident stands for a domain at most; it is told in the log when it begins."""
    simulated, name = domain
    said = f"{name} fails too many at once: what it says is kept in quarantine"
    began = conn.execute(
        "INSERT INTO incident AS known (simulated, domain, kind, began_at, said)"
        " VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (simulated, domain) WHERE ended_at IS NULL AND domain IS NOT NULL"
        " DO UPDATE SET began_at = LEAST(known.began_at, excluded.began_at)"
        " RETURNING xmax = 0",
        (simulated, name, _KIND, min(stormy), said),
    ).fetchone()
    if began is not None and began[0]:
        log.warning("ALARM %s", said)


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm that is not over."""

    simulated: bool
    domain: str
    began_at: datetime
    quarantined: int
    """Suppressions that wait for their trial."""


def standing() -> list[Storm]:
    """Those that are not over, the oldest first."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT incident.simulated, domain, began_at,"
            "       (SELECT count(*) FROM suppression"
            f"        WHERE suppression.simulated = incident.simulated AND {DOMAIN} = domain"
            "           AND lifted_at IS NULL AND source = 'event'"
            "           AND quarantined_until IS NOT NULL)"
            "  FROM incident"
            " WHERE ended_at IS NULL AND domain IS NOT NULL"
            " ORDER BY began_at, incident.id"
        )
        return [Storm(*row) for row in rows]


def try_now(simulated: bool, domain: str) -> int:
    """How many quarantined suppressions of a domain may have their trial at once."""
    with connection() as conn:
        changed = conn.execute(
            "UPDATE suppression SET quarantined_until = now(), expires_at = now()"
            f" WHERE {_OF_DOMAIN} AND quarantined_until > now()",
            (simulated, domain, sorted(CHOICES)),
        )
        return changed.rowcount


def look() -> int:
    """How many storms are over. Where it was none, with all words in, its suppressions apply."""
    return sum(_look(storm) for storm in standing())


def _look(storm: Storm) -> bool:
    domain = (storm.simulated, storm.domain)
    with transaction() as conn:
        domain_words.lock(conn, [domain])
        slots = [
            at
            for (at,) in conn.execute(
                f"SELECT DISTINCT {_SLOT_OF} FROM suppression"
                f" WHERE {_OF_DOMAIN} AND quarantined_until > now()",
                (*domain, sorted(CHOICES)),
            )
        ]
        stormy = (
            domain_words.storms(conn, {domain: slots}).get(domain, frozenset()) if slots else ()
        )
        _apply(conn, domain, [at for at in slots if at not in stormy])
        if any(at in stormy for at in slots):
            return False
        ended = conn.execute(
            "UPDATE incident SET ended_at = GREATEST(began_at, now())"
            " WHERE simulated = %s AND domain = %s AND ended_at IS NULL",
            domain,
        )
        return ended.rowcount == 1


def _apply(conn: Connection, domain: Domain, calm: Collection[datetime]) -> None:
    """What was quarantined for failures in these slots applies after all."""
    if calm:
        conn.execute(
            "UPDATE suppression"
            "   SET quarantined_until = NULL, expires_at = now() + ("
            "       SELECT ends_after"
            "         FROM unnest(%s::text[], %s::interval[]) AS rule (name, ends_after)"
            "        WHERE name = reason)"
            f" WHERE {_OF_DOMAIN} AND quarantined_until > now() AND {_SLOT_OF} = ANY(%s)",
            (list(ENDS_AFTER), list(ENDS_AFTER.values()), *domain, sorted(CHOICES), sorted(calm)),
        )
