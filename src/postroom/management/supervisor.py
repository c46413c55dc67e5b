"""`postroom up`: all roles of one machine, each in its own process group, kept alive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from postroom.management.lineage import ends_with_parent
from postroom.management.restarts import Restarts

_LOOK_S = 0.1
_BACK_OFF_S_MAX = 10.0
_STOP_S_MAX = 15.0
"""A sender waits for its calls in flight only so long; what is left is found again."""
_ASK_AGAIN_S = 2.0


def say(line: str) -> None:
    """Prints one line for the operator, at once."""
    print(line, flush=True)


@dataclass(slots=True)
class Child:
    """One process of a role, with whatever it has started: a process group."""

    role: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: Restarts = field(default_factory=lambda: Restarts(_BACK_OFF_S_MAX))
    due: float = 0.0

    def look(self) -> None:
        """Starts the process where there is none; a dead one after a pause, its group ended."""
        now = time.monotonic()
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return
            self._bury(status, now)
        if now >= self.due:
            self.started = now
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                process_group=0,
                preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one thread here
            )

    def stop(self, within_s: float) -> None:
        """Asks the process to end, waits, and ends what is left of its group."""
        if self.process is None:
            return
        if not self._ends(self.process, within_s):
            say(f"{self.role} did not stop within {within_s:.0f} s and is ended.")
        self._end_group()

    def _ends(self, process: subprocess.Popen[bytes], within_s: float) -> bool:
        """Whether the process ends in this time when it is asked to, again and again.

        A signal that comes just before a process goes to sleep without a time limit, as one that
        was frozen does when it goes on, is seen only at the next one.
        """
        deadline = time.monotonic() + within_s
        while True:
            process.send_signal(signal.SIGTERM)
            left_s = deadline - time.monotonic()
            try:
                process.wait(min(_ASK_AGAIN_S, max(0.0, left_s)))
            except subprocess.TimeoutExpired:
                if left_s <= _ASK_AGAIN_S:
                    return False
            else:
                return True

    def _bury(self, status: int, now: float) -> None:
        self._end_group()
        pause_s = self.restarts.pause_s(now - self.started)
        self.due = now + pause_s
        when = f"in {pause_s:.1f} s" if pause_s else "at once"
        say(f"{self.role} ended ({_ending(status)}); it starts again {when}.")

    def _end_group(self) -> None:
        """Kills what the process has left behind: workers survive their killed parent."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):  # the whole group is gone already
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


@dataclass(slots=True)
class Supervisor:
    """Keeps children alive until it is told to stop."""

    children: list[Child]
    doors: Mapping[str, Callable[[], bool]]
    """Whether each door is open; the installation is up once all have been."""
    tend: Callable[[], None]
    """Called about once a second; for what else must be kept alive."""
    told_to_stop: bool = False
    _awaited: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Returns after SIGTERM or SIGINT, when all children have ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._awaited = set(self.doors)
        try:
            self._keep_alive()
        finally:
            say("Stopping.")
            deadline = time.monotonic() + _STOP_S_MAX
            for child in reversed(self.children):
                child.stop(max(0.0, deadline - time.monotonic()))

    def _keep_alive(self) -> None:
        tended = time.monotonic()
        while not self.told_to_stop:
            for child in self.children:
                child.look()
            if time.monotonic() - tended > 1.0:
                self.tend()
                tended = time.monotonic()
            self._announce()
            time.sleep(_LOOK_S)

    def _announce(self) -> None:
        """Says once that every door is open."""
        if not self._awaited:
            return
        self._awaited = {name for name in self._awaited if not self.doors[name]()}
        if not self._awaited:
            say("Postroom is up. Ctrl-C stops it.")

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.told_to_stop = True


def role_command(role: str) -> list[str]:
    """The command line of one role's process."""
    return [sys.executable, "-m", "postroom.cli", "run", role]


def _ending(status: int) -> str:
    if status < 0:
        return signal.Signals(-status).name
    return f"status {status}"
