"""Provider accounts: where mail leaves, with what credentials, and whether they are in use."""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from psycopg.errors import UniqueViolation

from postroom.ledger import outside_settings
from postroom.ledger.db import connection, transaction


class SealBroken(Exception):
    """Account settings were sealed with neither this POSTROOM_SECRET_KEY nor the previous one."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One provider account."""

    id: int
    name: str
    provider: str
    simulated: bool
    settings: dict[str, str] = field(repr=False)
    """The sealed ones, and over them those of the environment."""
    stopped: bool
    stopped_why: str | None
    webhook_secret_digest: bytes = field(repr=False)
    from_environment: frozenset[str]
    """Names of the settings that the environment sets."""

    def is_webhook_secret(self, secret: str) -> bool:
        """Whether this is the secret of the account's webhook path."""
        return hmac.compare_digest(self.webhook_secret_digest, _digest(secret))


def add(name: str, provider: str, simulated: bool, account_settings: Mapping[str, str]) -> str:
    """The secret for the path of the account's webhook, shown only now.

    Raises ValueError when there is an account of that name.
    """
    secret = secrets.token_urlsafe(32)
    try:
        with connection() as conn:
            conn.execute(
                "INSERT INTO account (name, provider, simulated, sealed_settings,"
                "                     webhook_secret_digest, created_at)"
                " VALUES (%s, %s, %s, %s, %s, now())",
                (name, provider, simulated, _seal(account_settings), _digest(secret)),
            )
    except UniqueViolation as error:
        raise ValueError(f"there is an account {name!r} already") from error
    return secret


def change(name: str, account_settings: Mapping[str, str]) -> bool:
    """Whether there is such an account; its sealed settings are these now."""
    with connection() as conn:
        changed = conn.execute(
            "UPDATE account SET sealed_settings = %s WHERE name = %s",
            (_seal(account_settings), name),
        )
    return changed.rowcount == 1


def adjust(name: str, changes: Mapping[str, str]) -> list[str] | None:
    """The names of the sealed settings, with these changes; None: there is no such account.

    An empty value takes a setting away. What the environment sets is not sealed along.
    """
    with transaction() as conn:
        row = conn.execute(
            "SELECT sealed_settings FROM account WHERE name = %s FOR UPDATE",
            (name,),
        ).fetchone()
        if row is None:
            return None
        changed = _unseal(bytes(row[0])) | dict(changes)
        kept = {setting: value for setting, value in changed.items() if value}
        conn.execute(
            "UPDATE account SET sealed_settings = %s WHERE name = %s",
            (_seal(kept), name),
        )
    return sorted(kept)


def renew_webhook_secret(name: str) -> str | None:
    """Another secret for the path of its webhook, shown only now; None: there is no such account.

    The one before is good for nothing from now on.
    """
    secret = secrets.token_urlsafe(32)
    with connection() as conn:
        changed = conn.execute(
            "UPDATE account SET webhook_secret_digest = %s WHERE name = %s",
            (_digest(secret), name),
        )
    return secret if changed.rowcount == 1 else None


_COLUMNS = (
    "id, name, provider, simulated, sealed_settings, stopped_at IS NOT NULL, stopped_why,"
    " webhook_secret_digest, ARRAY(SELECT name FROM account)"
)


def all_accounts() -> list[AccountRow]:
    """Every account, in the order of their making."""
    with connection() as conn:
        rows = conn.execute(f"SELECT {_COLUMNS} FROM account ORDER BY id")
        return [_row(row) for row in rows]


def usable(simulated: bool) -> list[AccountRow]:
    """The accounts of one kind that are not stopped, in the order of their making."""
    return [one for one in all_accounts() if one.simulated is simulated and not one.stopped]


def by_name(name: str) -> AccountRow | None:
    """One account; None when there is none of that name."""
    with connection() as conn:
        row = conn.execute(
            f"SELECT {_COLUMNS} FROM account WHERE name = %s",
            (name,),
        ).fetchone()
    return None if row is None else _row(row)


def stop(account_id: int, why: str) -> bool:
    """Whether the account was in use and carries nothing from now on."""
    with connection() as conn:
        changed = conn.execute(
            "UPDATE account SET stopped_at = now(), stopped_why = %s"
            " WHERE id = %s AND stopped_at IS NULL",
            (why, account_id),
        )
    return changed.rowcount == 1


def restart(account_id: int) -> bool:
    """Whether the account was stopped and carries mail again."""
    with connection() as conn:
        changed = conn.execute(
            "UPDATE account SET stopped_at = NULL, stopped_why = NULL"
            " WHERE id = %s AND stopped_at IS NOT NULL",
            (account_id,),
        )
    return changed.rowcount == 1


def _row(row: tuple[Any, ...]) -> AccountRow:
    id, name, provider, simulated, sealed, stopped, why, digest, names = row
    outside = outside_settings.settings_of(name, names)
    return AccountRow(
        id=id,
        name=name,
        provider=provider,
        simulated=simulated,
        settings=_unseal(bytes(sealed)) | outside,
        stopped=stopped,
        stopped_why=why,
        webhook_secret_digest=bytes(digest),
        from_environment=frozenset(outside),
    )


def _seal(account_settings: Mapping[str, str]) -> bytes:
    return _fernet().encrypt(json.dumps(dict(account_settings)).encode())


def _unseal(sealed: bytes) -> dict[str, str]:
    try:
        opened: dict[str, str] = json.loads(_fernet().decrypt(sealed))
    except InvalidToken as error:
        raise SealBroken from error
    return opened


def _fernet() -> MultiFernet:
    """Seals with the present secret, and opens what the one before it sealed."""
    secrets_known = (settings.POSTROOM_SECRET_KEY, settings.POSTROOM_SECRET_KEY_PREVIOUS)
    return MultiFernet([_fernet_of(secret) for secret in secrets_known if secret])


def _fernet_of(secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"postroom account settings")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
