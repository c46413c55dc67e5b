"""Watches the flow of words from every account: missing ones are noticed within minutes."""

import logging
from datetime import UTC, datetime, timedelta

from postroom.domain.flow import (
    HEARD_WITHIN,
    USUAL_SPAN,
    Judgement,
    Minute,
    Trouble,
    judged,
)
from postroom.ledger import flow, incidents
from postroom.ledger.accounts import AccountRow, all_accounts
from postroom.ledger.db import connection
from postroom.ledger.incidents import Incident
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)

EVERY_S = 20.0
_HOUR = timedelta(hours=1)


def look() -> int:
    """How many incidents began or ended; each is told in the log, once."""
    known = {one.account_id: one for one in incidents.standing()}
    now = datetime.now(UTC)
    rows = [row for row in all_accounts() if row.provider in PROVIDERS]
    return sum(_look_at(row, known.get(row.id), now) for row in rows)


def _look_at(row: AccountRow, stands: Incident | None, now: datetime) -> bool:
    began_at = stands.began_at if stands else None
    tells = PROVIDERS[row.provider].tells
    found = judged(_minutes(row.id, (began_at or now) - USUAL_SPAN - _HOUR), tells, now, began_at)
    if found is None:
        return False
    if found.trouble is None:
        return stands is not None and _end(row, stands, found)
    return stands is None and _begin(row, found.trouble, found)


def _minutes(account_id: int, since: datetime) -> list[Minute]:
    with connection() as conn:
        return flow.minutes(conn, account_id, since)


def _begin(row: AccountRow, trouble: Trouble, found: Judgement) -> bool:
    said = words(found)
    is_news = incidents.opened(row.id, trouble, found.since, said)
    if is_news:
        log.error("ALARM account %s: %s", row.name, said)
    return is_news


def _end(row: AccountRow, stands: Incident, found: Judgement) -> bool:
    is_news = incidents.closed(row.id, found.since)
    if is_news:
        lasted = (found.since - stands.began_at).total_seconds() / 60
        log.warning("account %s: words come again, after %.0f minutes", row.name, lasted)
    return is_news


def words(found: Judgement) -> str:
    """What was noticed, as a sentence."""
    sample = found.sample
    heard = f"only {sample.heard:,} were" if sample.heard else "none was"
    usual = "" if found.usual is None else f"; usually {found.usual:.0%} are"
    return (
        f"Of {sample.taken:,} hand-overs since {found.since:%Y-%m-%d %H:%M} UTC {heard} heard of"
        f" within {HEARD_WITHIN.total_seconds() / 60:.0f} minutes{usual}."
        " Do the provider's notifications reach us?"
    )
