"""Durable accepts of single mails, by HTTP and by SMTP, against Postfix in turns."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import cpu, postfix
from bench.http_client import Load, load, post
from bench.rig import Rig, running
from bench.table import Row
from tests.helpers import free_ports

RUNS = 5
CONNECTIONS = 128
MAILS = 6_000
SESSIONS = 64
PEER = "Postfix, into its queue"
NO_PEER = "Postfix: NOT INSTALLED, or not run as root"
TEXT = "The new prices are in force from Monday, and the list is attached. " * 15


def http(rig: Rig, mails: int = MAILS, runs: int = RUNS) -> list[Row]:
    """Each mail a request, over kept connections."""
    ours: list[Load] = []
    bare: list[Load] = []
    theirs: list[float] = []
    requests = [_request(rig.key)] * mails
    with (
        rig.role("web", rig.http_port) as web,
        bare_endpoint() as bare_port,
        postfix.running() as port,
    ):
        groups = {"web": web, "PostgreSQL": rig.database_pid}
        load(rig.http_port, requests[:500], CONNECTIONS, 202)
        before = cpu.used_s(groups)
        ours += [load(rig.http_port, requests, CONNECTIONS, 202) for _ in range(runs)]
        cost = cpu.per_unit(before, cpu.used_s(groups), runs * mails)
        for _ in range(runs):
            bare.append(load(bare_port, requests, CONNECTIONS, 202))
            theirs += _by_smtp_source(port, mails, keep=True)
    rates = [one.per_second for one in ours]
    client = 1e6 * sum(one.client_cpu_s for one in ours) / (runs * mails)
    note = f"one mail costs {cost}; the load generator takes {client:.0f} us beside"
    bare_rates = [one.per_second for one in bare]
    what = "HTTP, single accepts"
    return [
        Row(what, "/s", rates, PEER if theirs else NO_PEER, theirs, least=4, note=note),
        Row(what, "/s", rates, "bare endpoint, nothing stored", bare_rates),
    ]


def smtp_new(rig: Rig, mails: int = MAILS, runs: int = RUNS) -> list[Row]:
    """Each mail a connection of its own to the relay listener."""
    return [_smtp("SMTP, a connection a mail", rig, mails, runs, keep=False, least=0.8)]


def smtp_kept(rig: Rig, mails: int = MAILS, runs: int = RUNS) -> list[Row]:
    """Many mails a connection to the relay listener."""
    return [_smtp("SMTP, kept connections", rig, mails, runs, keep=True, least=1.3)]


def _smtp(what: str, rig: Rig, mails: int, runs: int, *, keep: bool, least: float) -> Row:
    ours: list[float] = []
    theirs: list[float] = []
    rig.key  # noqa: B018 - the loopback network is known from then on
    with rig.role("smtp", rig.relay_port) as smtp, postfix.running() as port:
        groups = {"smtp": smtp, "PostgreSQL": rig.database_pid}
        _by_smtp_source(rig.relay_port, 200, keep=keep)
        before = cpu.used_s(groups)
        for _ in range(runs):
            ours += _by_smtp_source(rig.relay_port, mails, keep=keep)
        cost = cpu.per_unit(before, cpu.used_s(groups), runs * mails)
        for _ in range(runs):
            theirs += _by_smtp_source(port, mails, keep=keep)
    peer = PEER if theirs else NO_PEER
    return Row(what, "/s", ours, peer, theirs, least=least, note=f"one mail costs {cost}")


def _by_smtp_source(port: int | None, mails: int, *, keep: bool) -> list[float]:
    """Mails a second; none where there is no Postfix."""
    if port is None or not postfix.IS_HERE:
        return []
    began = time.perf_counter()
    postfix.send(port, mails, SESSIONS, keep=keep)
    return [mails / (time.perf_counter() - began)]


def _request(key: str) -> bytes:
    mail = {
        "from": "Shop <shop@example.org>",
        "to": [{"email": "ann@example.com", "name": "Ann"}],
        "subject": "New prices",
        "text": TEXT,
        "html": f"<p>{TEXT}</p>",
    }
    return post("/v1/messages", json.dumps(mail).encode(), [f"Authorization: Bearer {key}"])


@contextmanager
def bare_endpoint() -> Iterator[int]:
    """The port of the bare endpoint, with as many workers and threads as ours."""
    from django.conf import settings

    (port,) = free_ports(1)
    options = {
        "--port": port,
        "--workers": settings.POSTROOM_WEB_WORKERS,
        "--blocking-threads": settings.POSTROOM_WEB_THREADS,
    }
    words = [str(word) for pair in options.items() for word in pair]
    start = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--no-log"]
    environment = dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "bench.bare_settings"}
    with running([*start, *words, "bench.bare:application"], port, environment):
        yield port
