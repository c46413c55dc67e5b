"""Connections of one process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
