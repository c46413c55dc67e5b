"""A whole installation around the demonstration: the one that runs already, or one of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from postroom.management import probes
from postroom.management.commands.refusal import Refusal
from postroom.management.commands.up import doors
from postroom.management.lineage import ends_with_parent

_LOOK_S = 0.1
_STOP_S_MAX = 60.0


def is_running() -> bool:
    """Whether every door is open."""
    return all(is_open() for is_open in doors().values())


@contextmanager
def running(within_s: float) -> Iterator["subprocess.Popen[bytes]"]:
    """`postroom up` in a process of its own, with open doors inside; it is stopped afterwards."""
    _demand_free_ports()
    with log_file().open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "postroom.cli", "up"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,  # Ctrl-C is for us; we end it in our order
            preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one thread here
        )
    try:
        _wait_for_doors(up, within_s)
        yield up
    finally:
        up.terminate()
        up.wait(_STOP_S_MAX)


def _demand_free_ports() -> None:
    host = probes.reachable_host(settings.POSTROOM_BIND)
    for name in ("POSTROOM_HTTP_PORT", "POSTROOM_SMTP_PORT", "POSTROOM_SIMULATOR_PORT"):
        port = getattr(settings, name)
        if probes.listens(host, port):
            raise Refusal(
                f"Another program listens on port {port}: stop it, or set {name} to a free port."
            )


def log_file() -> Path:
    """Where `postroom up` and its roles write what they have to say."""
    return Path(settings.POSTROOM_DATA) / "demo.log"


def _wait_for_doors(up: "subprocess.Popen[bytes]", within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not is_running():
        if up.poll() is not None:
            raise Refusal(f"`postroom up` ended with status {up.returncode}:\n{_last_words()}")
        if time.monotonic() > deadline:
            raise Refusal(
                f"Not every door was open after {within_s:.0f} s: see {log_file()}, and"
                " `postroom doctor` while `postroom up` runs."
            )
        time.sleep(_LOOK_S)


def _last_words() -> str:
    return "\n".join(log_file().read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
