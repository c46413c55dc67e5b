"""What a command needs before it works: the database up, Django set up; and all let go after."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings
from psycopg.pq import PGconn, Ping

from postroom.management import embedded
from postroom.management.environment import ConfigurationError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.settings")

# As the embedded server gets; what takes longer is the supervisor's to repeat.
_RECOVERY_S_MAX = 60.0
_LOOK_S = 0.2


@contextmanager
def database_up() -> Iterator[None]:
    """The embedded database runs inside; somebody else's is given time to recover."""
    if not settings.POSTROOM_EMBEDDED:
        wait_for_recovery(settings.POSTROOM_DATABASE_DSN, _RECOVERY_S_MAX)
        yield
        return
    with embedded.running(settings.POSTROOM_DATA):
        yield


def wait_for_recovery(dsn: str, within_s: float) -> None:
    """Returns when the server no longer starts or recovers, or that much time has passed.

    One that does not answer at all is not waited for: nobody knows whether it ever will.
    """
    deadline = time.monotonic() + within_s
    told = False
    while PGconn.ping(dsn.encode()) == Ping.REJECT:
        if time.monotonic() > deadline:
            return
        if not told:
            print("postroom: PostgreSQL starts or recovers; waiting for it.", file=sys.stderr)
            told = True
        time.sleep(_LOOK_S)


@contextmanager
def ledger_open(*, any_release: bool = False) -> Iterator[None]:
    """The ledger can be used inside; no connection and no thread of it is left afterwards.

    The embedded database is brought to this release. Somebody else's must be of this release
    already (ConfigurationError), for its upgrade is the operator's decision; unless
    `any_release` says that it does not matter.
    """
    with database_up():
        django.setup()
        from django.db import connections

        from postroom.ledger import db

        try:
            if not any_release:
                _demand_this_release()
            yield
        finally:
            db.close()
            connections.close_all()


def _demand_this_release() -> None:
    from postroom.management.migrate import migrate, pending_migrations

    pending = pending_migrations()
    if not pending:
        return
    if not settings.POSTROOM_EMBEDDED:
        raise ConfigurationError(
            f"The database lacks {len(pending)} migrations of this release: run `postroom migrate`."
        )
    migrate()
