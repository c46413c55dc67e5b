"""Connections of one process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from postroom.ledger import db

_THREADS = 8


def test_threads_that_come_at_once_share_one_pool(
    ledger: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    all_there = threading.Barrier(_THREADS)

    class Slow(ConnectionPool[Any]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            threading.Event().wait(0.05)
            super().__init__(*args, **kwargs)

    def ask(_number: int) -> None:
        all_there.wait()
        with db.connection() as conn:
            conn.execute("SELECT")

    db.close()
    monkeypatch.setattr(db, "ConnectionPool", Slow)
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(ask, range(_THREADS)))
    db.close()
    assert len(made) == 1


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SET LOCAL lock_timeout = 1; LOCK TABLE application", db.LedgerContended),
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)", db.LedgerContended),
        ("SELECT pg_terminate_backend(pg_backend_pid())", db.LedgerUnavailable),
        ("SET TRANSACTION READ ONLY; TRUNCATE application", db.LedgerUnavailable),
        ("DO $$ BEGIN RAISE internal_error; END $$", db.LedgerUnavailable),
        ("DO $$ BEGIN RAISE program_limit_exceeded; END $$", psycopg.OperationalError),
    ],
)
def test_an_error_says_whether_to_wait_to_repeat_or_to_look(
    ledger: None, statement: str, error: type[Exception]
) -> None:
    with db.transaction() as other:
        other.execute("LOCK TABLE application")
        with pytest.raises(error) as raised, db.transaction() as conn:
            conn.execute(statement)
    assert raised.type is error or raised.type is psycopg.errors.ProgramLimitExceeded
