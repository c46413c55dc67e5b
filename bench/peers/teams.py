"""Single mails as teams queue and send them elsewhere: Celery, and django-post_office."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from bench import filling
from bench.handing_over import accounts_of, drained
from bench.peers import environment
from bench.processes import running, started
from bench.rig import Rig
from bench.sink import Sink, per_second, sink
from bench.table import Row
from tests.helpers import free_ports

RUNS = 3
MAILS = 3_000
THREADS = 16
PROCESSES = 2
"""Of django-post_office, which divides the threads between them."""
_ROOT = Path(__file__).parents[2]
_DRAIN_S_MAX = 300.0


def singles(rig: Rig, scale: float) -> list[Row]:
    """Many messages to one each, handed over from a full queue, ours and theirs."""
    mails = max(100, int(scale * MAILS))
    python = environment.python()
    with sink() as provider:
        with accounts_of(provider):
            ours = drained(rig, provider, mails, 1, RUNS)
        team = _Team(python, provider, mails // 3)
        peers = {
            f"Celery ({_broker_name()}) and django-anymail in {THREADS} threads": team.celery,
            f"django-post_office and django-anymail in {THREADS} threads": team.post_office,
        }
        return [_row(name, rate, python, ours.rates) for name, rate in peers.items()]


def _row(name: str, rate: Callable[[], float], python: Path | None, ours: list[float]) -> Row:
    what = "hand-over from a team's queue"
    if python is None:
        return Row(what, "/s", ours, f"{name}: NOT HERE (could not be installed)", [])
    return Row(what, "/s", ours, name, [rate() for _ in range(RUNS)])


class _Team:
    """An application with so many mails to send."""

    def __init__(self, python: Path | None, provider: Sink, mails: int) -> None:
        self._python = str(python)
        self._provider = provider
        self._mails = mails
        self._environment = os.environ | {
            "PEER_PROVIDER_PORT": str(provider.port),
            "PEER_MAIL": json.dumps(filling.SUBMISSION),
            "PYTHONPATH": str(_ROOT),
            "PYTHONWARNINGS": "ignore",
        }

    def celery(self) -> float:
        """Mails a second by one worker that finds them in its queue."""
        with _broker() as broker:
            environment = self._environment | broker
            module = "bench.peers.celery_team"
            self._run(["-m", module, str(self._mails)], environment)
            worker = ["-m", "celery", "--quiet", "-A", module, "worker", "--pool", "threads"]
            words = [self._python, *worker, "-c", str(THREADS), "--loglevel", "ERROR"]
            first, before = len(self._provider.look()), self._provider.taken()
            with started(words, environment):
                self._provider.wait_for(before + self._mails, _DRAIN_S_MAX)
            return per_second(self._provider.calls[first:])

    def post_office(self) -> float:
        """Mails a second by its own sender, which finds them in its tables."""
        first = len(self._provider.look())
        numbers = map(str, (self._mails, PROCESSES, THREADS // PROCESSES))
        with _schema() as place:
            self._run(["-m", "bench.peers.post_office_team", *numbers], self._environment | place)
        return per_second(self._provider.look()[first:])

    def _run(self, words: list[str], environment: dict[str, str]) -> None:
        subprocess.run([self._python, *words], env=environment, check=True, timeout=_DRAIN_S_MAX)


@contextmanager
def _schema() -> Iterator[dict[str, str]]:
    """An empty schema in the database that ours uses too, and where it is."""
    name = "bench_post_office"
    with filling.connect() as conn:
        conn.autocommit = True
        conn.execute(f"CREATE SCHEMA {name}")
        try:
            yield {"PEER_DATABASE": settings.POSTROOM_DATABASE_DSN, "PEER_SCHEMA": name}
        finally:
            conn.execute(f"DROP SCHEMA {name} CASCADE")


def _broker_name() -> str:
    return "Redis" if shutil.which("redis-server") else "queue in files, for want of Redis"


@contextmanager
def _broker() -> Iterator[dict[str, str]]:
    """Where Celery keeps its tasks: Redis where it is installed, which writes a log of them."""
    redis = shutil.which("redis-server")
    with tempfile.TemporaryDirectory(prefix="postroom-bench-celery-") as folder:
        if redis is None:
            yield {"PEER_BROKER": "filesystem://", "PEER_BROKER_FOLDER": folder}
            return
        (port,) = free_ports(1)
        words = [redis, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        with running([*words, "--appendonly", "yes", "--loglevel", "warning"], port):
            yield {"PEER_BROKER": f"redis://127.0.0.1:{port}/0"}
