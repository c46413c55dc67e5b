"""Durable accepts of single mails, by HTTP and by SMTP, against Postfix in turns."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench import cpu, postfix
from bench.filling import SUBMISSION
from bench.http_client import load, post
from bench.processes import running
from bench.rig import Rig
from bench.table import Row
from tests.helpers import free_ports

RUNS = 5
CONNECTIONS = 128
MAILS = 6_000


def http(rig: Rig, scale: float) -> list[Row]:
    """Each mail a request, over kept connections."""
    mails = int(scale * MAILS)
    what, requests = "HTTP, single accepts", [_request(rig.key)] * mails
    with rig.role("web", rig.http_port) as web:
        ours, cost = posted(rig.http_port, requests, {"web": web, **rig.database})
    with bare_endpoint() as port:
        bare, bare_cost = posted(port, requests, {})
    return [
        *_against_postfix(what, ours, mails, 4, f"one mail costs {cost}", keep=True),
        Row(what, "/s", ours, "bare endpoint, nothing stored", bare, note=f"bare, {bare_cost}"),
    ]


def posted(
    port: int, requests: list[bytes], pids: dict[str, int], status: int = 202
) -> tuple[list[float], str]:
    """Requests a second of each run, and what one cost these processes and the client."""
    load(port, requests[:500], CONNECTIONS, status)
    before = cpu.used_s(pids)
    loads = [load(port, requests, CONNECTIONS, status) for _ in range(RUNS)]
    used = cpu.used_s(pids)
    units = RUNS * len(requests)
    before["load generator"] = 0.0
    used["load generator"] = sum(one.client_cpu_s for one in loads)
    return [one.per_second for one in loads], cpu.per_unit(before, used, units)


def smtp_new(rig: Rig, scale: float) -> list[Row]:
    """Each mail a connection of its own to the relay listener."""
    return _smtp("SMTP, a connection a mail", rig, int(scale * MAILS), 0.8, keep=False)


def smtp_kept(rig: Rig, scale: float) -> list[Row]:
    """Many mails a connection to the relay listener."""
    return _smtp("SMTP, kept connections", rig, int(scale * MAILS), 1.3, keep=True)


def _smtp(what: str, rig: Rig, mails: int, least: float, *, keep: bool) -> list[Row]:
    if not postfix.is_here():  # neither the peer nor the load generator
        return _against_postfix(what, [0.0], mails, least, "not measured", keep=keep)
    rig.key  # noqa: B018 - the loopback network is known from then on
    with rig.role("smtp", rig.relay_port, rig.smtp_processes) as smtp:
        pids = {"smtp": smtp, **rig.database}
        postfix.rate(rig.relay_port, 200, keep=keep)
        before = cpu.used_s(pids)
        ours = [postfix.rate(rig.relay_port, mails, keep=keep) for _ in range(RUNS)]
        cost = cpu.per_unit(before, cpu.used_s(pids), RUNS * mails)
    return _against_postfix(what, ours, mails, least, f"one mail costs {cost}", keep=keep)


def _against_postfix(
    what: str, ours: list[float], mails: int, least: float, note: str, *, keep: bool
) -> list[Row]:
    """The target is for Postfix as one meets it; what it can do at best is told beside."""
    installed, fastest = (
        postfix.rates(way, mails // 2, len(ours), keep=keep)
        for way in (postfix.AS_INSTALLED, postfix.FASTEST)
    )
    absent = "" if installed else ": NOT HERE (not installed, or not run as root)"
    return [
        Row(what, "/s", ours, postfix.AS_INSTALLED + absent, installed, least=least, note=note),
        Row(what, "/s", ours, postfix.FASTEST + absent, fastest),
    ]


def _request(key: str) -> bytes:
    mail = SUBMISSION | {"to": [{"email": "ann@example.com", "name": "Ann"}]}
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
    with running([*start, *words, "bench.bare:application"], port, environment=environment):
        yield port
