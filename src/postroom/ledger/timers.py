"""What time alone brings about: expiry, silence, and doubt that has lasted long enough.

Timers are columns; nothing here remembers anything between calls, so any number of clocks may run.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from postroom.domain.delivery import EventType, fold
from postroom.ledger.clock import utc_now
from postroom.ledger.db import Connection, transaction
from postroom.ledger.folding import facts_of, refold
from postroom.ledger.local_events import insert_about_attempts, move
from postroom.ledger.retrying import again_on_deadlock
from postroom.ledger.sender_domains import CARRIES
from postroom.ledger.stops import CONCERNS
from postroom.ledger.suppressions import IN_FORCE

_KNOWN_AFTER = timedelta(seconds=5)
"""Senders look each second; until then some may still act on how roads were before."""


def expire(limit: int) -> int:
    """How many deliveries passed their `expires_at` before any sender had them."""
    with transaction() as conn:
        moved = conn.execute(
            move(
                EventType.EXPIRED,
                "stage = 'expired', reason = NULL, reason_text = NULL",
                "id = ANY(ARRAY("
                "   SELECT id FROM delivery"
                "    WHERE stage IN ('queued', 'scheduled', 'held') AND expires_at <= now()"
                "      AND verdict IS NULL"
                "    ORDER BY expires_at LIMIT %s"
                "      FOR UPDATE SKIP LOCKED))",
            ),
            (limit, None, None),
        )
        return moved.rowcount


_POSSIBLE_DUPLICATE = (
    "It is not known whether the provider took the earlier copy; the next one may be a duplicate."
)


def resend_doubtful(doubt_window_s: float, limit: int) -> int:
    """How many deliveries of unknown outcome are queued again, where the message asked for that.

    The earlier attempt stays in the record; what goes out now is a possible duplicate. A copy
    that could not be sent after all is thought of again a window later.
    """
    with transaction() as conn:
        moved = conn.execute(
            move(
                EventType.RESENT,
                "stage = 'queued', due_at = now(), silent_since = NULL",
                "id = ANY(ARRAY("
                "   SELECT delivery.id"
                "     FROM delivery"
                "     JOIN message ON message.id = delivery.message_id"
                "    WHERE stage = 'handed' AND verdict = 'indeterminate' AND on_doubt = 'resend'"
                "      AND GREATEST(silent_since, due_at) < now() - make_interval(secs => %s)"
                "      AND (delivery.expires_at IS NULL OR delivery.expires_at > now())"
                "      AND NOT EXISTS ("
                "          SELECT FROM suppression"
                f"          WHERE {CONCERNS} AND {IN_FORCE} AND NOT critical)"
                "    LIMIT %s"
                "      FOR UPDATE OF delivery SKIP LOCKED))",
            ),
            (doubt_window_s, limit, None, _POSSIBLE_DUPLICATE),
        )
        return moved.rowcount


_GOES_ON = "stage = 'queued', reason = NULL, reason_text = NULL"


def release_verified(covering: Sequence[str], limit: int) -> int:
    """How many deliveries go on that were held because their From domain was verified nowhere.

    `covering` are the providers at which a verified domain stands for those below it. What senders
    hold again all the same, for another thing is wrong, is let go more and more seldom.
    """
    with transaction() as conn:
        moved = conn.execute(
            move(
                EventType.RELEASED,
                _GOES_ON,
                "id = ANY(ARRAY("
                "   SELECT delivery.id"
                "     FROM delivery"
                "     JOIN message ON message.id = message_id"
                "    WHERE stage = 'held' AND delivery.reason = 'from_not_verified'"
                "      AND changed_at <= now() - (local_events - 1) * interval '2 s'"
                "      AND EXISTS ("
                "          SELECT FROM sender_domain"
                "            JOIN account ON account.id = account_id"
                f"          WHERE {CARRIES} AND stopped_at IS NULL AND NOT account.simulated"
                "             AND (right(from_address, length(domain) + 1) = '@' || domain"
                "                  OR provider = ANY(%s)"
                "                 AND right(from_address, length(domain) + 1) = '.' || domain))"
                "    ORDER BY delivery.id LIMIT %s"
                "      FOR UPDATE OF delivery SKIP LOCKED))",
            ),
            (list(covering), limit, None, None),
        )
        return moved.rowcount


def release_rerouted(limit: int) -> int:
    """How many deliveries are looked at again that no account of their route may carry.

    They were held before all senders knew how a route, a sender domain or an account last changed.
    """
    with transaction() as conn:
        moved = conn.execute(
            move(
                EventType.RELEASED,
                _GOES_ON,
                "id = ANY(ARRAY("
                "   WITH changed AS ("
                "        SELECT GREATEST("
                "               (SELECT max(GREATEST(made_at, removed_at)) FROM route),"
                "               (SELECT max(changed_at) FROM sender_domain),"
                "               (SELECT max(since) FROM account_health)) + %s AS known_at)"
                "   SELECT delivery.id FROM delivery, changed"
                "    WHERE stage = 'held' AND reason = 'route_closed'"
                "      AND changed_at <= known_at AND known_at < now()"
                "    ORDER BY delivery.id LIMIT %s"
                "      FOR UPDATE OF delivery SKIP LOCKED))",
            ),
            (_KNOWN_AFTER, limit, None, None),
        )
        return moved.rowcount


@again_on_deadlock
def pass_windows(silence_s: float, silence_after_deferral_s: float, limit: int) -> int:
    """How many handed-over deliveries became unconfirmed: no word within the window."""
    with transaction() as conn:
        ids = _silent(conn, silence_s, silence_after_deferral_s, limit)
        if ids:
            deciding = dict(_deciding_handovers(conn, ids))
            insert_about_attempts(conn, EventType.WINDOW_PASSED, deciding, utc_now())
            refold(conn, ids)
        return len(ids)


def _silent(
    conn: Connection, silence_s: float, silence_after_deferral_s: float, limit: int
) -> list[UUID]:
    rows = conn.execute(
        "SELECT id FROM delivery"
        " WHERE stage = 'handed'"
        # The first bound is for the index, the second is the rule.
        "   AND silent_since < now() - make_interval(secs => %s)"
        "   AND silent_since < now() - make_interval("
        "       secs => CASE verdict WHEN 'deferred' THEN %s ELSE %s END)"
        " ORDER BY id LIMIT %s"
        "   FOR NO KEY UPDATE SKIP LOCKED",
        (min(silence_s, silence_after_deferral_s), silence_after_deferral_s, silence_s, limit),
    )
    return [id for (id,) in rows]


def _deciding_handovers(conn: Connection, ids: Sequence[UUID]) -> Iterable[tuple[UUID, UUID]]:
    for id, known in facts_of(conn, ids).items():
        folded = fold(known.facts)
        if folded is not None:
            yield id, folded.handover_id
