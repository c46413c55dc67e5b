"""Haraka as the peer: a private instance that takes mail into its queue, and relays it."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import running
from tests.helpers import free_ports

NAME = "Haraka as installed"

_RELOAD_S = 5.0
"""After a change it waits so long before it reads its settings again."""

_PLUGIN = """\
'use strict'
exports.hook_connect = function (next, connection) {{
    connection.set('relaying', true)
    next()
}}
exports.hook_get_mx = function (next) {{
    next(OK, {{ exchange: '127.0.0.1', port: {port} }})
}}
"""


@dataclass(frozen=True, slots=True)
class Instance:
    """A private Haraka whose mail waits."""

    port: int
    home: Path

    def relay(self) -> None:
        """Its mail leaves on return; each that waits looks once a second whether it may."""
        _write(self.home, "outbound.ini", "disabled=false\nenable_tls=false\n")
        time.sleep(_RELOAD_S)


@contextmanager
def instance(program: Path, to: int) -> Iterator[Instance]:
    """A fresh instance that takes mail, all of it for this port."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="postroom-bench-haraka-") as place:
        home = Path(place)
        shutil.copytree(program.resolve().parents[1] / "config", home / "config")
        _configure(home, port, to)
        with (home / "log").open("ab") as log:
            words = [str(program), "-c", str(home)]
            with running(words, port, log=log.fileno()):
                yield Instance(port, home)


def _configure(home: Path, port: int, to: int) -> None:
    for folder in ("plugins", "queue"):
        (home / folder).mkdir()
    (home / "plugins" / "bench_relay.js").write_text(_PLUGIN.format(port=to))
    _write(home, "plugins", "bench_relay\n")
    _write(home, "smtp.ini", f"listen=127.0.0.1:{port}\nforce_shutdown_timeout=1\n")
    _write(home, "me", "bench.example.org\n")
    _write(home, "outbound.ini", "disabled=true\nenable_tls=false\n")


def _write(home: Path, name: str, text: str) -> None:
    (home / "config" / name).write_text(text)
