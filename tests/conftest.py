"""The real parts that tests run against: PostgreSQL, and whole installations."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from postroom.management import embedded
from tests.directories import data_directory

pytest_plugins = ("tests.installation",)

_STACK = ExitStack()


def pytest_configure() -> None:
    """Sets Django up for a server of this run's own; `database` starts it when it is asked for."""
    for name in [name for name in os.environ if name.startswith(("POSTROOM_", "DATABASE_URL"))]:
        del os.environ[name]
    os.environ["POSTROOM_DATA"] = str(_STACK.enter_context(data_directory()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.settings"
    import django

    django.setup()


def pytest_unconfigure() -> None:
    """Removes the data of this run's server."""
    _STACK.close()


@pytest.fixture
def data() -> Iterator[Path]:
    """An empty POSTROOM_DATA of this test's own."""
    with data_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def database() -> Iterator[None]:
    """A migrated database on this run's own server."""
    from django.db import connections

    from postroom.ledger import db
    from postroom.management.migrate import migrate

    with embedded.running(Path(os.environ["POSTROOM_DATA"])):
        migrate()
        yield
        db.close()
        connections.close_all()


@pytest.fixture
def ledger(database: None) -> None:
    """The database of this run, empty."""
    from tests.emptying import empty

    empty()
