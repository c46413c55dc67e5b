"""Mailgun's webhooks, proved as far as they can be, and read.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks, read
2026-11-24. The signature covers a timestamp and a token, and not the event: whoever has seen one
post can put another event beside it. So it keeps strangers out and proves nothing about the bytes.
"""

import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from postroom.providers import told
from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.login import verify_login
from postroom.providers.mailgun.events import heard
from postroom.providers.mailgun.posts import post_of

AGE_MAX = timedelta(hours=9)
"""Mailgun repeats for eight hours; an hour more for what waits on the way."""

AHEAD_MAX = timedelta(minutes=10)
"""How far its clock may be ahead of ours."""

KEY_SETTINGS = ("webhook_signing_key", "webhook_signing_key_previous")
"""The HTTP webhook signing key, and the one before while a rotation goes on."""


class MailgunReceiver:
    """Proves and reads what the webhooks post."""

    signed = False

    def verify(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> None:
        """Nothing; raises NotAuthentic, also for an account without a key: Mailgun signs."""
        verify_login(account, headers)
        keys = [account.settings[name] for name in KEY_SETTINGS if account.settings.get(name)]
        if not keys:
            raise NotAuthentic("the account has no webhook_signing_key to verify with")
        try:
            signature = post_of(body).signature
        except Unreadable as error:
            raise NotAuthentic(str(error)) from error
        stamp, token, given = (
            told.text(signature, name) or "" for name in ("timestamp", "token", "signature")
        )
        _check_age(stamp, now)
        signed = f"{stamp}{token}".encode()
        proofs = [hmac.new(key.encode(), signed, "sha256").hexdigest() for key in keys]
        fits = [hmac.compare_digest(proof.encode(), given.encode()) for proof in proofs]
        if not token or not any(fits):
            raise NotAuthentic("the signature does not belong to this timestamp and token")

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The one event of a post; raises Unreadable when it is none."""
        return iter((heard(post_of(body).event),))


def _check_age(stamp: str, now: datetime) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise NotAuthentic("the timestamp is missing or no Unix time")
    age = now - datetime.fromtimestamp(int(stamp), UTC)
    if age > AGE_MAX:
        raise NotAuthentic("the timestamp is older than Mailgun's repeats can be")
    if age < -AHEAD_MAX:
        raise NotAuthentic("the timestamp lies in the future")
