"""The process that runs the embedded PostgreSQL: for as long as anybody uses it, and no longer.

Who uses the server holds a shared lock on one file; the kernel lets that lock go when its process
ends, however it ends. The keeper starts the server again when it dies, and stops it when the last
user is gone. It inherits its own lock, open and held, so there is never a
second keeper of the same data. Started by `embedded.ensure`; its argument is POSTROOM_DATA.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from postroom.management import cluster, filelock
from postroom.management.lineage import ends_with_parent
from postroom.management.restarts import Restarts

_LOOK_S = 0.1
_BACK_OFF_S_MAX = 5.0
_STOP_S_MAX = 60.0  # a fast shutdown writes one checkpoint


class Keeper:
    """One server process, started anew when it has ended; see `restarts` for the pauses."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._user = cluster.server_user()
        self._server: subprocess.Popen[bytes] | None = None
        self._restarts = Restarts(_BACK_OFF_S_MAX)
        self._started = 0.0
        self._due = 0.0

    def look(self) -> None:
        """Starts the server where there is none and the pause is over."""
        now = time.monotonic()
        if self._server is not None:
            if self._server.poll() is None:
                return
            self._server = None
            self._due = now + self._restarts.pause_s(now - self._started)
        if now >= self._due:
            self._started = now
            self._server = self._start()

    def stop(self) -> None:
        """Ends the server: cuts its clients off, writes a checkpoint; by force where that hangs."""
        if self._server is None:
            return
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        forget_dead_server(cluster.cluster(self._data) / "postmaster.pid")
        # What the server says before its own log is open.
        with (self._data / "database-start.log").open("wb") as log:
            return subprocess.Popen(
                cluster.server_command(self._data, self._user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=cluster.bare_environment(),
                preexec_fn=ends_with_parent(signal.SIGINT),  # noqa: PLW1509 - one thread here
                user=self._user and self._user.pw_uid,
                group=self._user and self._user.pw_gid,
                extra_groups=[] if self._user else None,
            )


def forget_dead_server(pid_file: Path) -> None:
    """Removes a pid file whose number now belongs to something that is no PostgreSQL.

    PostgreSQL sees for itself that a number is free, but takes any process of the same user for
    its predecessor; in a restarted container the same small numbers come again.
    """
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return
    if name != "postgres":
        pid_file.unlink(missing_ok=True)


def keep(data: Path) -> None:
    """Keeps the server up until nobody uses it any more, or SIGTERM says so."""
    told_to_stop = False

    def on_signal(_number: int, _frame: object) -> None:
        nonlocal told_to_stop
        told_to_stop = True

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    keeper = Keeper(data)
    users = None
    while users is None and not told_to_stop:
        keeper.look()
        time.sleep(_LOOK_S)
        # Held until we have ended: who comes now waits, and then starts another keeper.
        users = filelock.take(data / "database-users.lock")
    keeper.stop()


if __name__ == "__main__":
    if os.fork() > 0:  # nobody's child: our caller need not live as long as we do
        os._exit(0)
    keep(Path(sys.argv[1]))
