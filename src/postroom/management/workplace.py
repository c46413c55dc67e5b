"""What a command needs before it works: the database up, Django set up; and all let go after."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings

from postroom.management import embedded
from postroom.management.environment import ConfigurationError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.settings")


@contextmanager
def database_up() -> Iterator[None]:
    """The embedded database runs inside; somebody else's is taken as it is."""
    if not settings.POSTROOM_EMBEDDED:
        yield
        return
    with embedded.running(settings.POSTROOM_DATA):
        yield


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
