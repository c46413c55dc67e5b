"""One call to 100,000 recipients against a list of 1,000,000 suppressions, and an empty one."""

from bench import filling
from bench.broadcast import RECIPIENTS, body
from bench.http_client import load, post
from bench.rig import Rig
from bench.table import Row

RUNS = 5
LISTED = 1_000_000
_EACH = 100
"""One recipient in so many is on the list."""
ADDS_MAX = 1.2


def checked(rig: Rig, scale: float) -> list[Row]:
    """Seconds from the first byte of the request to the answer after the commit."""
    recipients = int(scale * RECIPIENTS)
    request = post("/v1/messages", body(recipients), [f"Authorization: Bearer {rig.key}"])

    def took_s(runs: int) -> list[float]:
        return [load(rig.http_port, [request], 1, 202).took_s for _ in range(runs)]

    with rig.role("web", rig.http_port):
        took_s(1)
        empty = took_s(RUNS // 2)
        _fill(int(scale * LISTED))
        full = took_s(RUNS)
        _clear()
        # On both sides of the others: the ledger grows with each run.
        empty += took_s(RUNS - len(empty))
    what = f"{recipients:,} recipients against {int(scale * LISTED):,} suppressions"
    note = f"one recipient in {_EACH} is on the list"
    return [Row(what, "s", full, "with an empty list", empty, most=ADDS_MAX, note=note)]


def _fill(listed: int) -> None:
    with filling.connect() as conn:
        conn.execute(
            "INSERT INTO suppression (simulated, address_key, reason, source)"
            " SELECT true, 'p' || n * %s || '@example.com', 'address_unknown', 'import'"
            "   FROM generate_series(0, %s) AS n",
            (_EACH, listed - 1),
        )
        conn.commit()
        conn.autocommit = True
        conn.execute("VACUUM ANALYZE suppression")


def _clear() -> None:
    with filling.connect() as conn:
        conn.execute("TRUNCATE suppression")
