"""What was spooled is stored once, however often that is begun, and none of it is thrown away."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from postroom.ledger import draining, intake
from postroom.ledger.db import LedgerUnavailable, connection
from postroom.ledger.draining import drain
from postroom.ledger.ids import uuid7
from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool import Spool
from postroom.ledger.spool_frames import frames
from postroom.ledger.writer import store_receipt
from tests.ledger import making
from tests.ledger.making import scalar

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def spool(data: Path) -> Spool:
    return Spool(data / "spool", 1024**2)


def receipt(body: bytes = b"[]", at: datetime | None = None) -> NewReceipt:
    at = at or making.now()
    return NewReceipt(making.account(), at, {"x-told": "yes"}, body, uuid7(at))


def stored() -> int:
    count: int = scalar("SELECT count(*) FROM receipt")
    return count


def test_a_spooled_receipt_is_stored_as_it_was_received_and_its_file_is_removed(
    spool: Spool,
) -> None:
    one = receipt(b"[1]")
    spool.append(one)
    assert drain(spool) == 1
    assert spool.waiting() == []
    with connection() as conn:
        found = conn.execute("SELECT id, account_id, received_at, headers, stage FROM receipt")
        assert found.fetchall() == [
            (one.id, one.account_id, one.received_at, {"x-told": "yes"}, "new")
        ]
    assert drain(spool) == 0


def test_what_is_stored_again_after_a_crash_before_the_removal_is_there_once(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(receipt())

    def killed(path: Path, unstored: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(draining, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            drain(spool)
    assert (stored(), len(spool.waiting())) == (1, 1)
    drain(spool)
    assert (stored(), len(spool.waiting())) == (1, 0)


@pytest.mark.parametrize("drained_first", [True, False])
def test_a_receipt_that_is_spooled_and_committed_late_is_stored_once(
    spool: Spool, drained_first: bool
) -> None:
    one = receipt()
    spool.append(one)
    if drained_first:
        drain(spool)
    store_receipt(one).result(10)
    drain(spool)
    assert stored() == 1


def test_a_receipt_of_a_month_without_partitions_gets_them(spool: Spool) -> None:
    long_ago = datetime(2024, 2, 29, 23, 59, tzinfo=UTC)
    spool.append(receipt(at=long_ago))
    assert drain(spool) == 1
    assert scalar("SELECT received_at FROM receipt_2024_02") == long_ago


def test_the_ledgers_absence_leaves_everything_spooled(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(receipt())

    def away(conn: object, receipts: object) -> None:
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as outage:
        outage.setattr(intake, "write_receipts", away)
        with pytest.raises(LedgerUnavailable):
            drain(spool)
    spool.append(receipt())
    assert drain(spool) == 2


def test_a_torn_tail_is_set_aside_and_all_before_it_is_stored(spool: Spool) -> None:
    spool.append(receipt())
    spool.close()
    [path] = spool.waiting()
    with path.open("ab") as file:
        file.write(b"PRr1\0\0\1\0torn")
    assert drain(spool) == 1
    assert spool.waiting() == []
    [aside] = path.parent.iterdir()
    assert aside.read_bytes() == b"PRr1\0\0\1\0torn"
    assert aside.stat().st_mode & 0o777 == 0o600
    assert spool.held().set_aside == 1


def test_an_empty_file_of_a_process_that_died_early_is_removed(spool: Spool) -> None:
    spool.append(receipt())
    spool.close()
    [path] = spool.waiting()
    path.write_bytes(b"")
    assert drain(spool) == 0
    assert list(path.parent.iterdir()) == []


def test_a_receipt_that_the_ledger_can_never_take_is_set_aside_and_sinks_no_other(
    spool: Spool,
) -> None:
    poison = replace(receipt(b"poison"), headers={"x": "\0"})
    for one in (receipt(b"before"), poison, receipt(b"after")):
        spool.append(one)
    assert drain(spool) == 2
    assert spool.waiting() == []
    [aside] = spool._directory.iterdir()
    assert [frame.item for frame in frames(aside.read_bytes())] == [poison]


def test_what_another_process_writes_is_left_to_it(spool: Spool) -> None:
    other = Spool(spool._directory, 1024**2)
    other.append(receipt(b"other"))
    spool.append(receipt(b"own"))
    assert drain(spool) == 1
    assert len(spool.waiting()) == 1
    assert drain(other) == 1
    assert stored() == 2


def test_more_than_one_transaction_takes_is_stored_in_several(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "STEP", 2)
    for _ in range(5):
        spool.append(receipt())
    assert drain(spool) == 5
    assert stored() == 5
