"""The real parts of a measurement: the embedded database, and roles as processes of their own."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.processes import running, started
from tests.directories import data_directory
from tests.helpers import free_ports


@dataclass(frozen=True)
class Rig:
    """A migrated database of its own, and ports for roles; Django is set up for it."""

    data: Path
    environment: Mapping[str, str]
    http_port: int
    relay_port: int

    @contextmanager
    def role(self, name: str, port: int, listeners: int = 1) -> Iterator[int]:
        """One role, with so many sockets listening; gives the process group it is."""
        with (self.data / f"{name}.log").open("ab") as log:
            words = _role(name)
            with running(words, port, listeners, self.environment, log.fileno()) as group:
                yield group

    @contextmanager
    def senders(self, count: int = 1, **settings: str) -> Iterator[list[int]]:
        """So many sender processes, which are their own process groups; gives them."""
        environment = dict(self.environment) | settings
        with (self.data / "sender.log").open("ab") as log, ExitStack() as all_of_them:
            yield [
                all_of_them.enter_context(started(_role("sender"), environment, log.fileno()))
                for _ in range(count)
            ]

    @property
    def database(self) -> dict[str, int]:
        """The process of the database, whose children are its sessions."""
        from postroom.management import embedded

        return {"PostgreSQL": embedded.server_pid(self.data)}

    @property
    def smtp_processes(self) -> int:
        """How many share the relay port."""
        from django.conf import settings

        return int(settings.POSTROOM_SMTP_PROCESSES)

    @cached_property
    def key(self) -> str:
        """A key of the application `bench`, which is also known by the loopback network."""
        from postroom.ledger import keys

        keys.add_network("bench", "127.0.0.0/8", "test")
        return keys.create_key("bench", "test", ["send", "urgent"]).key


def _role(name: str) -> list[str]:
    return [sys.executable, "-m", "postroom.cli", "run", name]


@contextmanager
def rig() -> Iterator[Rig]:
    """The rig; only one in the life of a process, for Django is set up once."""
    from postroom.management import embedded

    http_port, smtp_port, relay_port = free_ports(3)
    with data_directory() as data:
        os.environ |= {
            "POSTROOM_DATA": str(data),
            "POSTROOM_HTTP_PORT": str(http_port),
            "POSTROOM_SMTP_PORT": str(smtp_port),
            "POSTROOM_SMTP_RELAY_PORT": str(relay_port),
            "DJANGO_SETTINGS_MODULE": "postroom.settings",
        }
        try:
            with embedded.running(data):
                _set_up()
                yield Rig(data, dict(os.environ), http_port, relay_port)
                _let_go()
        finally:
            embedded.wait_until_stopped(data, within_s=30)


def _set_up() -> None:
    import django

    django.setup()
    from postroom.management.migrate import migrate

    migrate()


def _let_go() -> None:
    from django.db import connections

    from postroom.ledger import db

    db.close()
    connections.close_all()
