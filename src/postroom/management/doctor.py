"""What is configured, reachable and missing, in plain words."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from django.db import OperationalError, connection

from postroom.domain import guard
from postroom.domain.health import STOPPED, State
from postroom.ledger import (
    account_health,
    accounts,
    incidents,
    outside_settings,
    pulls,
    spikes,
    storms,
)
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.spool import spool
from postroom.management import failover, gmail, guard_watch, probes, spike_watch
from postroom.management.migrate import pending_migrations

_SERVER_VERSION_MIN = 15
_DISK_BYTES_MIN = 1024**3  # a broadcast of 100,000 recipients writes some 300 MB
_SPOOL_SHARE_MAX = 0.8
_CERTIFICATE_WARNING = timedelta(days=14)


class Level(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    NOTE = "note"
    """Works, and may not be what you want in production."""
    MISSING = "missing"
    """Something needed is not there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    about: str
    said: str


def examine() -> Iterator[Finding]:
    """Everything there is to say, most basic things first."""
    yield from look_at_data()
    database = list(_database())
    yield from database
    if all(finding.level is not Level.MISSING for finding in database):
        yield from _accounts()
    for check in (_doors, _public_url, _certificate):
        yield from check()


def look_at_data() -> Iterator[Finding]:
    """What can be said without a database."""
    for check in (_data, _spool, _secret_key):
        yield from check()


def _data() -> Iterator[Finding]:
    directory = settings.POSTROOM_DATA
    if not directory.is_dir():
        yield Finding(
            Level.NOTE, "data", f"{directory} does not exist yet; the first start makes it."
        )
        return
    free = shutil.disk_usage(directory).free
    said = f"{directory}, {free / 1024**3:.1f} GiB free."
    if free < _DISK_BYTES_MIN:
        yield Finding(Level.MISSING, "data", f"{said} Make room: nothing is accepted without disk.")
    else:
        yield Finding(Level.OK, "data", said)


def _spool() -> Iterator[Finding]:
    held = spool().held()
    bytes_max = settings.POSTROOM_SPOOL_BYTES_MAX
    said = f"{held.size_bytes / 1024**2:.1f} of {bytes_max / 1024**2:.0f} MiB"
    if held.set_aside:
        yield Finding(
            Level.MISSING,
            "spool",
            f"{held.set_aside} files `spool/*.left` hold what could not be stored: see the log.",
        )
    if held.oldest_at is None:
        yield Finding(Level.OK, "spool", "No notification waits for the database.")
    elif held.size_bytes > _SPOOL_SHARE_MAX * bytes_max:
        yield Finding(Level.MISSING, "spool", f"{said}: when it is full, providers must repeat.")
    else:
        since = f"{held.oldest_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(
            Level.NOTE, "spool", f"{said}: notifications wait for the database since {since}."
        )


def _secret_key() -> Iterator[Finding]:
    if (settings.POSTROOM_DATA / "secret-key").exists():
        yield Finding(
            Level.NOTE,
            "secret key",
            "Made by itself in the data directory. Back it up: it seals the accounts' settings.",
        )
    else:
        yield Finding(Level.OK, "secret key", "Set by POSTROOM_SECRET_KEY.")


def _database() -> Iterator[Finding]:
    where = "embedded" if settings.POSTROOM_EMBEDDED else "DATABASE_URL"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0]) // 10_000
        pending = pending_migrations()
    except OperationalError as error:
        yield Finding(Level.MISSING, "database", f"{where}: {' '.join(str(error).split())}")
        return
    if version < _SERVER_VERSION_MIN:
        yield Finding(
            Level.MISSING,
            "database",
            f"{where}: PostgreSQL {version} is too old, {_SERVER_VERSION_MIN} is the oldest.",
        )
    elif pending:
        yield Finding(
            Level.MISSING,
            "database",
            f"{where}: {len(pending)} migrations are missing; run `postroom migrate`.",
        )
    else:
        yield Finding(Level.OK, "database", f"{where}: PostgreSQL {version}, up to date.")


def _accounts() -> Iterator[Finding]:
    try:
        known = accounts.all_accounts()
    except (accounts.SealBroken, LedgerUnavailable) as error:
        yield Finding(Level.MISSING, "accounts", str(error) or str(type(error).__doc__))
        return
    for stray in outside_settings.strays(account.name for account in known):
        said = f"POSTROOM_ACCOUNT_{stray} is set and fits no account."
        yield Finding(Level.MISSING, "accounts", said)
    if all(account.simulated for account in known):
        yield Finding(
            Level.NOTE,
            "accounts",
            "None but the simulator: no mail leaves. `postroom account add`.",
        )
    for account in known:
        if account.stopped:
            yield Finding(
                Level.MISSING, "accounts", f"{account.name} is stopped: {account.stopped_why}"
            )
        else:
            yield Finding(Level.OK, "accounts", f"{account.name} ({account.provider}) is in use.")
    yield from _health({account.id: account.name for account in known})
    yield from _guard()
    yield from _gmail()
    for spike in spikes.standing():
        yield Finding(Level.NOTE, "receiver", spike_watch.sentence(spike))
    for one in incidents.standing():
        yield Finding(Level.MISSING, "events", f"{one.account}: {one.said}")
    for storm in storms.standing():
        kind = "simulated" if storm.simulated else "live"
        said = (
            f"{storm.domain} failed too many at once since {storm.began_at:%H:%M} UTC:"
            f" {storm.quarantined} {kind} suppressions are in quarantine."
        )
        yield Finding(Level.NOTE, "suppression", said)
    for name, why in pulls.given_up():
        yield Finding(Level.MISSING, "events", f"{name}: they cannot be pulled: {why}.")


def _guard() -> Iterator[Finding]:
    """Mail that is near a line, or held for it."""
    for level, said in guard_watch.sentences():
        grave = level >= guard.Level.ALERT
        yield Finding(Level.MISSING if grave else Level.NOTE, "guard", said)


def _gmail() -> Iterator[Finding]:
    """What Gmail says of our mail; only it knows who complains there."""
    for level, said in gmail.sentences():
        grave = level is guard.Level.PAUSE
        yield Finding(Level.MISSING if grave else Level.NOTE, "Gmail", said)


def _health(names: Mapping[int, str]) -> Iterator[Finding]:
    """Accounts that are not well, and mail for which nobody stands by."""
    levels = {State.OPEN: Level.MISSING, State.STRAINED: Level.NOTE}
    for id, (health, _) in account_health.standing().items():
        if health.state in levels and health.why != STOPPED:
            said = f"{names[id]} is {health.state} since {health.since:%H:%M:%S} UTC: {health.why}."
            yield Finding(levels[health.state], "health", said)
    for said in failover.sentences():
        yield Finding(Level.NOTE, "failover", said)


def _doors() -> Iterator[Finding]:
    host = probes.reachable_host(settings.POSTROOM_BIND)
    yield _door("web", probes.answers_http, host, settings.POSTROOM_HTTP_PORT)
    for name, port in (
        ("smtp", settings.POSTROOM_SMTP_PORT),
        ("smtps", settings.POSTROOM_SMTPS_PORT),
        ("relay", settings.POSTROOM_SMTP_RELAY_PORT),
    ):
        if port is not None:
            yield _door(name, probes.listens, host, port)
    if (settings.POSTROOM_DATA / "simulator.json").exists():
        yield _door("simulator", probes.listens, "127.0.0.1", settings.POSTROOM_SIMULATOR_PORT)


def _door(name: str, is_open: Callable[[str, int], bool], host: str, port: int) -> Finding:
    if is_open(host, port):
        return Finding(Level.OK, name, f"Answers at {host}:{port}.")
    return Finding(Level.MISSING, name, f"Nobody answers at {host}:{port}; `postroom up` runs it.")


def _public_url() -> Iterator[Finding]:
    url = settings.POSTROOM_PUBLIC_URL
    if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1"):
        yield Finding(
            Level.NOTE,
            "public URL",
            f"{url} is this machine only: real providers need POSTROOM_PUBLIC_URL to report back.",
        )
    elif urlsplit(url).scheme != "https":
        yield Finding(Level.NOTE, "public URL", f"{url} is not https: notifications could be read.")
    else:
        yield Finding(Level.OK, "public URL", url)


def _certificate() -> Iterator[Finding]:
    if settings.POSTROOM_TLS_CERT is None:
        yield Finding(
            Level.NOTE, "TLS", "A self-signed certificate: clients that verify it refuse SMTP."
        )
        return
    chain = Path(settings.POSTROOM_TLS_CERT).read_bytes()
    end = x509.load_pem_x509_certificates(chain)[0].not_valid_after_utc
    said = f"{settings.POSTROOM_TLS_CERT} is valid until {end:%Y-%m-%d}."
    soon = end < datetime.now(UTC) + _CERTIFICATE_WARNING
    yield Finding(Level.MISSING if soon else Level.OK, "TLS", f"{said}{' Renew it.' * soon}")
