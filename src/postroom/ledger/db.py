"""Connections to PostgreSQL for everything but configuration pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from psycopg_pool import ConnectionPool, PoolTimeout

Connection = psycopg.Connection[tuple[Any, ...]]


class LedgerUnavailable(Exception):
    """The database cannot be reached or did not commit; nothing was acknowledged."""


class LedgerContended(LedgerUnavailable):
    """PostgreSQL ended the transaction because of others; the whole of it may be made again."""


_CONTENDED = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
)
_ABSENT = ("08", "25006", "25P03", "53", "57", "58", "XX000")
"""Beginnings of the codes of a server that is away, full, read-only, or has let us go (Appendix A).

XX000: also of a full quota and of a limit on file sizes, for which PostgreSQL has no code."""


_one_at_a_time = threading.Lock()


def _pool() -> ConnectionPool[Connection]:
    """This process's pool; a role's threads come all at once, and a second pool would be lost."""
    with _one_at_a_time:
        return _opened()


@cache
def _opened() -> ConnectionPool[Connection]:
    return ConnectionPool(
        settings.POSTROOM_DATABASE_DSN,
        min_size=0,
        max_size=settings.POSTROOM_DATABASE_CONNECTIONS_MAX,
        kwargs={"autocommit": True, "options": _OPTIONS, "application_name": "postroom"},
        timeout=10,
        # The pauses between its tries double: after a long absence it would look once a minute.
        # A series that ends early lets the next caller begin a new one at once.
        reconnect_timeout=3,
        max_idle=60,
        check=ConnectionPool.check_connection,
        open=True,
        name="ledger",
    )


# UTC, so that timestamps come back aware and equal; limits, so that one stuck statement or
# forgotten transaction never holds back the vacuum of a queue table (no transaction over 30 s).
_OPTIONS = (
    "-c timezone=UTC -c statement_timeout=60s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=30s -c jit=off"
)


@contextmanager
def connection() -> Iterator[Connection]:
    """A pooled connection in autocommit; LedgerUnavailable when none can be had or it is lost."""
    try:
        with _pool().connection() as conn:
            yield conn
    except _CONTENDED as error:
        raise LedgerContended(str(error)) from error
    except PoolTimeout as error:
        raise LedgerUnavailable(str(error)) from error
    except (psycopg.OperationalError, psycopg.InternalError) as error:
        if error.sqlstate is not None and not error.sqlstate.startswith(_ABSENT):
            raise  # the statement's own fault, which the next try would meet again
        raise LedgerUnavailable(str(error)) from error


@contextmanager
def transaction() -> Iterator[Connection]:
    """A pooled connection inside one transaction, committed on exit."""
    with connection() as conn, conn.transaction():
        yield conn


def close() -> None:
    """Let all pooled connections go; the next call opens a new pool."""
    with _one_at_a_time:
        if _opened.cache_info().currsize:
            _opened().close()
            _opened.cache_clear()
