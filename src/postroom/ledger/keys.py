"""Who may submit and read: keys, their secrets' digests, and source networks."""

import hmac
import ipaddress
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from typing import Any

from psycopg.errors import UniqueViolation

from postroom.ledger.db import Connection, connection, transaction

KINDS = ("live", "team", "test")
SCOPES = ("send", "urgent", "critical", "read", "manage")
CACHE_S = 5.0
"""How long an authentication is remembered. Submissions check the key again in their commit."""
USE_NOTED_EVERY_S = 60.0
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Caller:
    """The application behind a key or a source network, and what it may do."""

    application_id: int
    application: str
    key_id: str | None
    """None: known by its source network."""
    kind: str
    scopes: frozenset[str]
    from_domains: tuple[str, ...]
    """Allowed From domains; empty allows any where the kind permits that."""
    allow_list: tuple[str, ...]
    join_repeats: bool
    refuse_suppressed: bool

    @property
    def simulated(self) -> bool:
        return self.kind == "test"

    def may(self, scope: str) -> bool:
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at its creation: the only time its secret is seen."""

    id: str
    secret: str
    key: str
    """The bearer token."""


def _bearer(kind: str, id: str, secret: str) -> str:
    # The fixed beginning lets secret scanners recognise a leaked key.
    return f"postroom_{kind}_{id}_{secret}"


def create_key(
    application: str,
    kind: str,
    scopes: Sequence[str],
    from_domains: Sequence[str] = (),
    allow_list: Sequence[str] = (),
) -> NewKey:
    """A new key of the application, which is made when it does not exist.

    `allow_list` is added to the application's own. Raises ValueError on an unknown kind or scope,
    and on a `live` key without a From domain.
    """
    _check(kind, scopes, from_domains)
    id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_hex(24)
    with transaction() as conn:
        application_id = _application(conn, application, allow_list)
        conn.execute(
            "INSERT INTO key (id, application_id, kind, secret_digest, scopes, from_domains,"
            "                 created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, now())",
            (id, application_id, kind, _digest(secret), list(scopes), list(from_domains)),
        )
    return NewKey(id, secret, _bearer(kind, id, secret))


def _check(kind: str, scopes: Sequence[str], from_domains: Sequence[str]) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise ValueError(f"scopes are some of {', '.join(SCOPES)}")
    if kind == "live" and not from_domains:
        raise ValueError("a live key needs at least one allowed From domain")


def _application(conn: Connection, name: str, allow_list: Sequence[str]) -> int:
    [(application_id,)] = conn.execute(
        "INSERT INTO application (name, from_domains, allow_list, join_repeats,"
        "                         refuse_suppressed, created_at)"
        " VALUES (%s, '{}', %s, false, false, now())"
        " ON CONFLICT (name) DO UPDATE"
        "    SET allow_list = array(SELECT DISTINCT unnest(application.allow_list"
        "                                                  || excluded.allow_list))"
        " RETURNING id",
        (name, list(allow_list)),
    )
    return int(application_id)


def revoke_key(id: str) -> bool:
    """Whether the key was valid and is revoked now. Takes effect on the next request."""
    with connection() as conn:
        changed = conn.execute(
            "UPDATE key SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL", (id,)
        )
    _remembered.clear()
    return changed.rowcount == 1


def add_network(application: str, cidr: str, kind: str = "live") -> str:
    """The source network, in canonical form, by which the application is known from now on.

    Raises ValueError when it is no network or known already.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    network = str(ipaddress.ip_network(cidr))
    try:
        with transaction() as conn:
            conn.execute(
                "INSERT INTO network (application_id, cidr, kind) VALUES (%s, %s, %s)",
                (_application(conn, application, ()), network, kind),
            )
    except UniqueViolation as error:
        raise ValueError(f"{network} already belongs to an application") from error
    return network


@dataclass(frozen=True, slots=True)
class Network:
    """A source network, in canonical form, and whose mail comes from there."""

    application: str
    cidr: str
    kind: str


def networks() -> list[Network]:
    """Every source network, application by application."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT application.name, cidr, kind"
            "  FROM network JOIN application ON application.id = network.application_id"
            " ORDER BY application.name, cidr::inet"
        )
        return [Network(*row) for row in rows]


def remove_network(cidr: str) -> Network | None:
    """What was removed; None when no application was known by it. Raises ValueError as above.

    Listeners remember a source address for some seconds, and a session its caller.
    """
    network = str(ipaddress.ip_network(cidr))
    with connection() as conn:
        row = conn.execute(
            "DELETE FROM network USING application"
            " WHERE application.id = network.application_id AND cidr = %s"
            " RETURNING application.name, cidr, network.kind",
            (network,),
        ).fetchone()
    return None if row is None else Network(*row)


def house(application: str, kind: str, from_domains: Sequence[str]) -> Caller:
    """An application of our own, which needs no key: its mail comes from inside the house."""
    with transaction() as conn:
        id = _application(conn, application, ())
    scopes = frozenset({"send"})
    return Caller(id, application, None, kind, scopes, tuple(from_domains), (), False, False)


def sender_domains() -> frozenset[str]:
    """Every From domain that some key or application may use."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT unnest(from_domains) FROM key WHERE revoked_at IS NULL"
            " UNION SELECT unnest(from_domains) FROM application"
        )
        return frozenset(domain.lstrip(".").lower() for (domain,) in rows)


_CALLER = (
    "application.id, application.name, {key}, {kind}, {scopes}, {domains},"
    " application.allow_list, application.join_repeats, application.refuse_suppressed"
)

_remembered: dict[bytes, tuple[float, Caller]] = {}


def authenticate(bearer: str) -> Caller | None:
    """The caller behind a bearer token; None when it is malformed, unknown, revoked or expired.

    Remembered for `CACHE_S`: what must be exact at the commit checks `key_id` there again.
    """
    remembered = _remembered.get(_digest(bearer))
    if remembered and remembered[0] > time.monotonic():
        return remembered[1]
    return _remember(bearer, authenticate_now(bearer))


def authenticate_now(bearer: str) -> Caller | None:
    """`authenticate`, always from the table."""
    parts = bearer.split("_")
    if len(parts) != 4 or parts[0] != "postroom":
        return None
    caller = login(parts[2], parts[3])
    return caller if caller is not None and caller.kind == parts[1] else None


def _remember(bearer: str, caller: Caller | None) -> Caller | None:
    if caller is not None:
        if len(_remembered) > 10_000:
            _remembered.clear()
        _remembered[_digest(bearer)] = (time.monotonic() + CACHE_S, caller)
    return caller


def login(key_id: str, secret: str) -> Caller | None:
    """The caller behind a key id and secret, as SMTP AUTH gives them; None when they are wrong."""
    columns = _CALLER.format(
        key="key.id", kind="key.kind", scopes="key.scopes", domains="key.from_domains"
    )
    if not (key_id.isascii() and key_id.isalnum()):
        return None
    with connection() as conn:
        row = conn.execute(
            f"SELECT secret_digest, {columns}"
            "  FROM key JOIN application ON application.id = key.application_id"
            " WHERE key.id = %s AND revoked_at IS NULL"
            "   AND (expires_at IS NULL OR expires_at > now())",
            (key_id,),
        ).fetchone()
        # An unknown key costs the same comparison as a wrong secret.
        expected = bytes(row[0]) if row else bytes(32)
        right = hmac.compare_digest(expected, _digest(secret))
        if row is None or not right:
            return None
        note_use(conn, [key_id])
    return _caller(row[1:])


_noted: dict[str, float] = {}


def note_use(conn: Connection, key_ids: Iterable[str]) -> None:
    """Write down when these keys were last used, to `USE_NOTED_EVERY_S`: not at each request."""
    now = time.monotonic()
    due = sorted(id for id in key_ids if _noted.get(id, -inf) < now - USE_NOTED_EVERY_S)
    if due:
        conn.execute("UPDATE key SET last_used_at = now() WHERE id = ANY(%s)", (due,))
        _noted.update(dict.fromkeys(due, now))


def by_network(peer_ip: str) -> Caller | None:
    """The application that mail from this address comes from; the narrowest network wins."""
    columns = _CALLER.format(
        key="NULL",
        kind="network.kind",
        scopes="CASE WHEN relay_urgent THEN '{send,urgent}'::text[] ELSE '{send}'::text[] END",
        domains="application.from_domains",
    )
    with connection() as conn:
        row = conn.execute(
            f"SELECT {columns}"
            "  FROM network JOIN application ON application.id = network.application_id"
            " WHERE network.cidr::inet >>= %s::inet"
            " ORDER BY masklen(network.cidr::inet) DESC"
            " LIMIT 1",
            (_plain_ip(peer_ip),),
        ).fetchone()
    return _caller(row) if row else None


def _plain_ip(peer_ip: str) -> str:
    """An IPv4 address that arrived on a dual-stack socket, as itself."""
    address = ipaddress.ip_address(peer_ip.split("%", maxsplit=1)[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _caller(row: tuple[Any, ...]) -> Caller:
    application_id, name, key_id, kind, scopes, domains, allow_list, join, refuse = row
    return Caller(
        application_id,
        name,
        key_id,
        kind,
        frozenset(scopes),
        tuple(domains),
        tuple(allow_list),
        join,
        refuse,
    )


def _digest(secret: str) -> bytes:
    # The secret has 192 random bits: a fast hash is enough, there is nothing to guess.
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
