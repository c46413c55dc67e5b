"""Debian's Postfix as the peer: a private instance that takes mail into its durable queue.

Everything is left out that would cost it time without making a mail safer: no log, no delivery
(mails are put on hold), no pause when its queue grows.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers import eventually, free_ports

_PLACES = "/usr/sbin:/usr/bin"
_SMTP_SOURCE = shutil.which("smtp-source", path=_PLACES)
_POSTFIX = shutil.which("postfix", path=_PLACES)
IS_HERE = _SMTP_SOURCE is not None and _POSTFIX is not None

_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/state
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
smtpd_client_restrictions = check_client_access static:HOLD
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
in_flow_delay = 0s
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
"""


@contextmanager
def running() -> Iterator[int | None]:
    """The port of a fresh instance; None where Postfix is not installed, or may not be started."""
    if not IS_HERE or os.geteuid() != 0:
        yield None
        return
    home = Path(tempfile.mkdtemp(prefix="postroom-bench-postfix-"))
    (port,) = free_ports(1)
    config = _configured(home, port)
    try:
        _run(_POSTFIX, "-c", config, "start")
        eventually(lambda: _takes_mail(port), 20, every_s=0.2)
        yield port
    finally:
        _run(_POSTFIX, "-c", config, "stop")
        shutil.rmtree(home)


def _configured(home: Path, port: int) -> Path:
    home.chmod(0o755)
    config = home / "etc"
    for directory in (config, home / "queue", home / "state"):
        directory.mkdir()
    shutil.chown(home / "state", "postfix")
    (config / "main.cf").write_text(_MAIN.format(home=home))
    (config / "master.cf").write_text(_MASTER.format(port=port))
    return config


def _takes_mail(port: int) -> bool:
    try:
        send(port, 1, 1, keep=True)
    except subprocess.CalledProcessError:
        return False
    return True


def send(port: int, count: int, sessions: int, *, keep: bool) -> None:
    """Send mails of 2 kB with Postfix's own load generator; with `keep` many over a connection."""
    _run(
        _SMTP_SOURCE,
        *(["-d"] if keep else []),
        *("-s", sessions, "-m", count, "-l", 2048),
        *("-f", "shop@example.org", "-t", "ann@example.com", f"127.0.0.1:{port}"),
    )


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, timeout=300, capture_output=True)
