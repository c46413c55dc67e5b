"""Who holds the calls that an account may have in flight: a lease of some seconds each."""

from uuid import UUID

from postroom.domain.in_flight import Need, Share, grant, held_with
from postroom.ledger.db import connection, transaction

LEASE_S = 10.0
"""A sender that died holds nothing after this; one that lives asks again each second."""


def lease(account_id: int, sender: UUID, most: int, need: Need) -> Share:
    """What the sender may have in flight of the account from now on, for `LEASE_S`."""
    who = {"account": account_id, "sender": sender}
    with transaction() as conn:
        # One at a time, or two senders would see the same calls free.
        conn.execute("SELECT FROM account WHERE id = %(account)s FOR NO KEY UPDATE", who)
        conn.execute(
            "DELETE FROM account_calls WHERE account_id = %(account)s AND ends_at <= now()", who
        )
        others = conn.execute(
            "SELECT ordinary, urgent, wanted FROM account_calls"
            " WHERE account_id = %(account)s AND sender <> %(sender)s",
            who,
        ).fetchall()
        share = grant(
            most,
            need,
            [Share(ordinary, urgent) for ordinary, urgent, _ in others],
            [wanted for _, _, wanted in others],
        )
        holds = held_with(share, need.busy)
        conn.execute(
            "INSERT INTO account_calls (account_id, sender, ordinary, urgent, wanted, ends_at)"
            " VALUES (%(account)s, %(sender)s, %(ordinary)s, %(urgent)s, %(wanted)s,"
            "         clock_timestamp() + %(lease)s * interval '1 s')"
            " ON CONFLICT (account_id, sender) DO UPDATE"
            "   SET ordinary = excluded.ordinary, urgent = excluded.urgent,"
            "       wanted = excluded.wanted, ends_at = excluded.ends_at",
            who
            | {
                "ordinary": holds.ordinary,
                "urgent": holds.urgent,
                "wanted": need.wanted.ordinary,
                "lease": LEASE_S,
            },
        )
    return share


def give_back(account_id: int, sender: UUID) -> None:
    """The sender has nothing in flight and wants nothing."""
    with connection() as conn:
        conn.execute(
            "DELETE FROM account_calls WHERE account_id = %s AND sender = %s", (account_id, sender)
        )


def held() -> dict[int, int]:
    """Calls that senders hold now, by account."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT account_id, sum(ordinary + urgent)::integer FROM account_calls"
            " WHERE ends_at > now() GROUP BY 1"
        ).fetchall()
    return dict(rows)
