"""Debian's Postfix as the peer: a private instance that takes mail into its durable queue.

In two ways. *As installed*: it logs, and its queue manager takes up each mail and defers it. *At
its fastest*: it only queues; no log, and each mail is put on hold. In neither does it pause when
its queue grows, and in neither does a mail leave before `relay` lets it.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.helpers import eventually, free_ports

_PLACES = "/usr/sbin:/usr/bin"
_SMTP_SOURCE = shutil.which("smtp-source", path=_PLACES)
_POSTFIX = shutil.which("postfix", path=_PLACES)

_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/state
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
in_flow_delay = 0s
defer_transports = smtp
"""
AS_INSTALLED, FASTEST = "Postfix as installed", "Postfix at its fastest"
_WAYS = {
    AS_INSTALLED: "maillog_file = {home}/state/log\nmaillog_file_prefixes = {home}\n",
    FASTEST: "smtpd_client_restrictions = check_client_access static:HOLD\n",
}
_SESSIONS = 64

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
postlog unix-dgram n - n - 1 postlogd
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
"""


def is_here() -> bool:
    """Whether it is installed, with its load generator, and we may start it."""
    return _SMTP_SOURCE is not None and _POSTFIX is not None and os.geteuid() == 0


def rates(way: str, mails: int, runs: int, *, keep: bool) -> list[float]:
    """Mails a second in each run, by a fresh instance; none where it is not here."""
    if not is_here():
        return []
    with instance(way) as one:
        return [rate(one.port, mails, keep=keep) for _ in range(runs)]


def rate(port: int, mails: int, *, keep: bool) -> float:
    """Mails of 2 kB a second, by Postfix's own load generator; `keep`: many over a connection."""
    began = time.perf_counter()
    _run(
        _SMTP_SOURCE,
        *(["-d"] if keep else []),
        *("-s", min(_SESSIONS, mails), "-m", mails, "-l", 2048),
        *("-f", "shop@example.org", "-t", "ann@example.com", f"127.0.0.1:{port}"),
    )
    return mails / (time.perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Instance:
    """A private Postfix."""

    port: int
    config: Path

    def relay(self, port: int) -> None:
        """From now on all its mail leaves for this port, what has waited first."""
        to = f"relayhost=[127.0.0.1]:{port}"
        _run("/usr/sbin/postconf", "-c", self.config, "-e", "defer_transports=", to)
        _run(_POSTFIX, "-c", self.config, "reload")
        _run("/usr/sbin/postqueue", "-c", self.config, "-f")


@contextmanager
def instance(way: str) -> Iterator[Instance]:
    """A fresh instance that takes mail."""
    home = Path(tempfile.mkdtemp(prefix="postroom-bench-postfix-"))
    (port,) = free_ports(1)
    config = _configured(home, port, _WAYS[way])
    try:
        _run(_POSTFIX, "-c", config, "start")
        eventually(lambda: _takes_mail(port), 20, every_s=0.2)
        yield Instance(port, config)
    finally:
        _run(_POSTFIX, "-c", config, "stop")
        shutil.rmtree(home)


def _configured(home: Path, port: int, way: str) -> Path:
    home.chmod(0o755)
    config = home / "etc"
    for directory in (config, home / "queue", home / "state"):
        directory.mkdir()
    shutil.chown(home / "state", "postfix")
    (config / "main.cf").write_text((_MAIN + way).format(home=home))
    (config / "master.cf").write_text(_MASTER.format(port=port))
    return config


def _takes_mail(port: int) -> bool:
    try:
        rate(port, 1, keep=True)
    except subprocess.CalledProcessError:
        return False
    return True


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, timeout=300, capture_output=True)
