"""How webhooks without a signature are proved: basic authentication, or a bearer token.

RFC 7617, RFC 6750. It says who knows the secret and nothing about the bytes: a receiver that
relies on it is not `signed`.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime

from postroom.providers.base import Account, NotAuthentic

PASSWORDS = ("webhook_password", "webhook_password_previous")
"""For the user `webhook_user`; the one before counts while a rotation goes on."""

TOKENS = ("webhook_token", "webhook_token_previous")


def verify_login(account: Account, headers: Mapping[str, str]) -> None:
    """Nothing; raises NotAuthentic when the account has a login or a token and this is another.

    An account with neither relies on the secret in the path of its webhook alone.
    """
    expected = list(_expected(account.settings))
    scheme, _, credentials = headers.get("authorization", "").strip().partition(" ")
    given = f"{scheme.lower()} {credentials.strip()}".encode("utf-8", "replace")
    fits = [hmac.compare_digest(given, one) for one in expected]
    if expected and not any(fits):
        raise NotAuthentic("the login is missing or wrong")


class LoginReceiver:
    """What receivers of webhooks without a signature share: how these are proved."""

    signed = False

    def verify(
        self,
        account: Account,
        headers: Mapping[str, str],
        body: bytes,  # noqa: ARG002 - nothing proves it
        now: datetime,  # noqa: ARG002 - no stamp is signed
    ) -> None:
        """Nothing; raises NotAuthentic when the account has a login or token and it is another."""
        verify_login(account, headers)


def is_asked(settings: Mapping[str, str]) -> bool:
    """Whether an account with these settings asks for a login or a token."""
    return any(_expected(settings))


def _expected(settings: Mapping[str, str]) -> Iterator[bytes]:
    user = settings.get("webhook_user", "")
    for password in (settings.get(name) for name in PASSWORDS):
        if password:
            yield b"basic " + b64encode(f"{user}:{password}".encode())
    for token in (settings.get(name) for name in TOKENS):
        if token:
            yield f"bearer {token}".encode()
