"""A whole installation in its own directory and on its own ports, for journeys."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from postroom.management import embedded
from tests.directories import data_directory
from tests.helpers import eventually, free_ports

_START_S_MAX = 60.0
_STOP_S_MAX = 60.0


@dataclass
class Installation:
    """A running `postroom up`, and how to reach it."""

    data: Path
    environment: Mapping[str, str]
    http_port: int
    smtp_port: int
    relay_port: int
    simulator_port: int
    log_file: Path
    _supervisor: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        """All that the supervisor and its roles have said."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def dsn(self) -> str:
        """How its database is reached: its own, or the one it was given."""
        return self.environment.get("DATABASE_URL") or embedded.dsn(self.data)

    @property
    def supervisor_pid(self) -> int:
        """The process id of `postroom up`."""
        assert self._supervisor is not None
        return self._supervisor.pid

    @cached_property
    def key(self) -> str:
        """A test key of the application `journey`, with every scope."""
        scopes = (f"--scope={scope}" for scope in ("send", "urgent", "read", "manage"))
        made = self.cli("key", "create", "journey", "--kind", "test", *scopes, "--json")
        return str(json.loads(made)["key"])

    @property
    def login(self) -> tuple[str, str]:
        """User and password of `key` for SMTP."""
        _, _, id, secret = self.key.split("_")
        return id, secret

    def start(self) -> None:
        """Runs `postroom up`; returns when every door is open."""
        with self.log_file.open("wb") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "postroom.cli", "up"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(self._is_up, _START_S_MAX, every_s=0.1)

    def stop(self) -> int:
        """Ends it as an operator does; gives its exit status."""
        if self._supervisor is None:
            return 0
        self._supervisor.send_signal(signal.SIGTERM)
        status = self._supervisor.wait(_STOP_S_MAX)
        self._supervisor = None
        return status

    def kill(self) -> None:
        """Ends the supervisor, and nothing else, without a warning."""
        assert self._supervisor is not None
        self._supervisor.kill()
        self._supervisor.wait()
        self._supervisor = None

    def cli(self, *words: str) -> str:
        """Gives what the command printed; fails when its status is not 0."""
        done = self.try_cli(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of this installation."""
        return subprocess.run(
            [sys.executable, "-m", "postroom.cli", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Gives status and JSON of one HTTP call with `key`."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            | dict(headers or {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def role_pid(self, role: str) -> int | None:
        """The process id of one role; None while it does not run."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _is_role(entry, self.supervisor_pid, role):
                return int(entry.name)
        return None

    def _is_up(self) -> bool:
        assert self._supervisor is not None
        assert self._supervisor.poll() is None, self.log
        return "Postroom is up" in self.log


def _is_role(process: Path, parent: int, role: str) -> bool:
    try:
        command = (process / "cmdline").read_bytes().split(b"\0")
        status = (process / "stat").read_text()
    except OSError:
        return False  # it has just ended
    return (
        command[3:5] == [b"run", role.encode()] and int(status.rsplit(")")[-1].split()[1]) == parent
    )


@contextmanager
def installed(
    simulator: Mapping[str, object] | None = None,
    below: Path | None = None,
    log_file: Path | None = None,
    **settings: str,
) -> Iterator[Installation]:
    """An installation that runs inside; `simulator` are entries of its `simulator.json`.

    Its data are kept somewhere `below` a directory; None: where temporary files are. `log_file` is
    what it writes its log to; None: a file among its data.
    """
    http, smtp, relay, simulated = free_ports(4)
    with data_directory(below) as data:
        if simulator is not None:
            (data / "simulator.json").write_text(json.dumps(simulator))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONWARNINGS": "default",
            "POSTROOM_DATA": str(data),
            "POSTROOM_HTTP_PORT": str(http),
            "POSTROOM_SMTP_PORT": str(smtp),
            "POSTROOM_SMTP_RELAY_PORT": str(relay),
            "POSTROOM_SIMULATOR_PORT": str(simulated),
        } | settings
        log_file = log_file or data / "up.log"
        one = Installation(data, environment, http, smtp, relay, simulated, log_file)
        try:
            one.start()
            yield one
        finally:
            one.stop()


@pytest.fixture
def installation() -> Iterator[Installation]:
    """A whole installation of this test's own."""
    with installed() as one:
        yield one
