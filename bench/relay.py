"""SMTP relay out: mail that waits leaves for smtp-sink, ours and Postfix's in turns."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench import filling, postfix
from bench.peers import environment, haraka
from bench.processes import is_listening
from bench.rig import Rig
from bench.table import Row
from tests.helpers import eventually, free_ports

RUNS = 5
MAILS = 3_000
_SMTP_SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
_DATA = (
    "From: Shop <shop@example.org>\r\nTo: ann@example.com\r\nSubject: New prices\r\n"
    "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <bench@example.org>\r\n\r\n"
    + f"{filling.TEXT}\r\n"
    * 2
).encode()
_DRAIN_S_MAX = 300.0


def out(rig: Rig, scale: float) -> list[Row]:
    """Mails a second, from their release to the last one at smtp-sink."""
    what, mails = "SMTP relay out", max(100, int(scale * MAILS))
    if _SMTP_SINK is None or not postfix.is_here():
        absent = f"{postfix.AS_INSTALLED}: NOT HERE (not installed, or not run as root)"
        return [Row(what, "/s", [0.0], absent, [], least=2)]
    theirs = [_postfix_rate(mails) for _ in range(RUNS)]
    ours = [_our_rate(rig, mails) for _ in range(RUNS)]
    return [
        Row(what, "/s", ours, f"{postfix.AS_INSTALLED}, a full queue", theirs, least=2),
        _against_haraka(what, ours, mails),
    ]


def _against_haraka(what: str, ours: list[float], mails: int) -> Row:
    program = environment.haraka()
    if program is None:
        return Row(what, "/s", ours, f"{haraka.NAME}: NOT HERE (needs Node.js and npm)", [])
    theirs = [_haraka_rate(program, mails) for _ in range(RUNS)]
    return Row(what, "/s", ours, f"{haraka.NAME}, a full queue", theirs)


def _our_rate(rig: Rig, mails: int) -> float:
    (port,) = free_ports(1)
    settings = {"smtp_host": "127.0.0.1", "smtp_port": str(port)}
    with filling.accounts_in_use("smtp", settings), rig.senders(1):
        _sunk(port, 1, lambda: filling.queue_mail(1, 1, data=_DATA))
        return mails / _sunk(port, mails, lambda: filling.queue_mail(mails, 1, data=_DATA))


def _postfix_rate(mails: int) -> float:
    (port,) = free_ports(1)
    with postfix.instance(postfix.AS_INSTALLED) as one:
        postfix.rate(one.port, mails - 1, keep=True)  # one came when it was started
        return mails / _sunk(port, mails, lambda: one.relay(port))


def _haraka_rate(program: Path, mails: int) -> float:
    (port,) = free_ports(1)
    with haraka.instance(program, port) as one:
        postfix.rate(one.port, mails, keep=True)
        return mails / _sunk(port, mails, one.relay)


def _sunk(port: int, mails: int, release: Callable[[], None]) -> float:
    """Seconds from the return of `release` until smtp-sink, which ends then, has so many."""
    words = [str(_SMTP_SINK), "-u", "postfix", "-M", str(mails), f"127.0.0.1:{port}", "512"]
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: is_listening(port), every_s=0.05)
        release()
        began = time.perf_counter()
        server.wait(_DRAIN_S_MAX)
        return time.perf_counter() - began
    finally:
        server.kill()
        server.wait()
