"""How suppressions end without a person: by their one trial, or by a mail that arrived."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import Verdict
from postroom.domain.reason_table import REASONS, Suppress
from postroom.domain.suppression import CHOICES, ends_at
from postroom.ledger.clock import utc_now
from postroom.ledger.db import Connection
from postroom.ledger.failures import Arrival, Evidence, Key
from postroom.ledger.recordset import rows_json, rows_of

_KEYS = {"simulated": "bool", "address_key": "text"}
_BY_FAILURES = "lifted_at IS NULL AND source <> 'person' AND reason <> ALL(%s)"
"""Of a row of `suppression`: what a mail that arrives can disprove."""


def failing(conn: Connection, keys: Collection[Key]) -> set[Key]:
    """Those of these addresses against which failures stand, in force or in quarantine."""
    return {key for key, *_ in _standing(conn, keys)}


def _standing(conn: Connection, keys: Collection[Key]) -> list[tuple[Key, int, str, datetime]]:
    if not keys:
        return []
    rows = conn.execute(
        "SELECT simulated, address_key, id, reason, COALESCE(failed_at, created_at)"
        f"  FROM {rows_of(_KEYS, 'wanted')}"
        "  JOIN suppression USING (simulated, address_key)"
        f" WHERE {_BY_FAILURES}",
        (rows_json(_KEYS, sorted(keys)), sorted(CHOICES)),
    )
    return [((simulated, key), *one) for simulated, key, *one in rows]


def lift_disproved(
    conn: Connection,
    known: Mapping[Key, Collection[Evidence]],
    stops: Mapping[Key, Collection[Evidence]],
    arrived: Mapping[Key, Arrival],
) -> None:
    """Lift what no longer stands by all failures known, because a mail arrived after some."""
    lifts: list[tuple[int, UUID]] = []
    for key, id, reason, failed_at in _standing(conn, arrived.keys()):
        arrival = arrived[key]
        failed = [one.failed_at for one in known[key] if one.reason == reason]
        stands = {one.failed_at for one in stops[key] if one.reason == reason}
        if failed_at in stands:
            continue
        if min([failed_at, *failed]) <= arrival.at:
            lifts.append((id, arrival.delivery_id))
    _lift(conn, lifts, "proof", "a mail that was handed over later arrived")


def _lift(conn: Connection, lifts: Iterable[tuple[int, UUID]], by: str, reason: str) -> None:
    pairs = sorted(lifts)
    if pairs:
        conn.execute(
            "UPDATE suppression"
            "   SET lifted_at = now(), lifted_by = %s, lifted_reason = %s,"
            "       lifting_delivery_id = proof.delivery_id"
            "  FROM unnest(%s::bigint[], %s::uuid[]) AS proof (id, delivery_id)"
            " WHERE suppression.id = proof.id AND lifted_at IS NULL",
            (by, reason, [id for id, _ in pairs], [delivery for _, delivery in pairs]),
        )


def end_trials(conn: Connection, deliveries: Collection[UUID]) -> None:
    """Lift what was tried with one of these deliveries and arrived; put the others back at once."""
    rows = conn.execute(
        "SELECT suppression.id, suppression.reason, trial_delivery_id, verdict, delivery.reason,"
        "       lifted_at IS NULL"
        "  FROM suppression"
        "  JOIN delivery ON delivery.id = trial_delivery_id"
        " WHERE trial_delivery_id = ANY(%s)"
        "   AND (lifted_at IS NULL AND trial_at IS NOT NULL AND verdict IN ('delivered', 'bounced')"
        "     OR lifted_by = 'trial' AND verdict = 'bounced')"
        " ORDER BY suppression.id",
        (list(deliveries),),
    ).fetchall()
    arrived = [(id, trial) for id, _, trial, verdict, *_ in rows if verdict == Verdict.DELIVERED]
    _lift(conn, arrived, "trial", "the trial mail arrived")
    for id, reason, _, verdict, why, stands in rows:
        if verdict == Verdict.BOUNCED and _is_recipient_s(why):
            _put_back(conn, id, reason, stands=stands)
        elif verdict == Verdict.BOUNCED and stands:
            _try_again(conn, id)


def _is_recipient_s(reason: str | None) -> bool:
    """Whether the trial failed for what suppresses; else it tells nothing about the address."""
    return reason in REASONS and REASONS[reason].suppress is not Suppress.NO


_EVIDENCE = """
  FROM suppression AS tried
  JOIN delivery ON delivery.id = tried.trial_delivery_id
  JOIN handover ON handover.id = delivery.decided_handover
  LEFT JOIN event ON event.delivery_id = delivery.id AND event.digest = delivery.decided_by
"""


def _put_back(conn: Connection, id: int, reason: str, *, stands: bool) -> None:
    """Stop mail again at once, with the trial's failure as evidence."""
    end = ends_at(reason, utc_now())
    if stands:
        conn.execute(
            "UPDATE suppression"
            "   SET delivery_id = delivery.id, event_digest = delivery.decided_by,"
            "       receipt_id = event.receipt_id, failed_at = handover.begun_at,"
            "       expires_at = %s, quarantined_until = NULL, trial_at = NULL"
            f"  {_EVIDENCE}"
            " WHERE suppression.id = tried.id AND tried.id = %s",
            (end, id),
        )
    else:
        conn.execute(
            "INSERT INTO suppression (simulated, address_key, reason, application_id, kind, source,"
            "       rules, delivery_id, event_digest, receipt_id, failed_at, expires_at)"
            " SELECT tried.simulated, address_key, tried.reason, tried.application_id, tried.kind,"
            "        source, tried.rules, delivery.id, delivery.decided_by, event.receipt_id,"
            f"       handover.begun_at, %s {_EVIDENCE}"
            "  WHERE tried.id = %s"
            # What came of it afterwards is not undone by a late word about the trial.
            "    AND NOT EXISTS ("
            "        SELECT FROM suppression AS later"
            "         WHERE later.simulated = tried.simulated AND later.id > tried.id"
            "           AND later.address_key = tried.address_key AND later.reason = tried.reason)"
            " ON CONFLICT (simulated, address_key, reason, application_id, kind)"
            "       WHERE lifted_at IS NULL DO NOTHING",
            (end, id),
        )


def _try_again(conn: Connection, id: int) -> None:
    """What failed for our own fault, or the receiver's, was no trial."""
    conn.execute("UPDATE suppression SET trial_at = NULL WHERE id = %s", (id,))
