"""How Resend's webhooks are proved: signed by Svix over id, stamp and body.

https://resend.com/docs/webhooks/verify-webhooks-requests, .../retries-and-replays and
https://docs.svix.com/receiving/verifying-payloads/how-manual, read 2026-11-24. The header holds
several signatures while a secret is rotated. The stamp is that of the attempt, and a replay by
hand is stamped anew; a wait on the way may take as long as the whole schedule of repeats.
"""

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from postroom.providers.base import Account, NotAuthentic

ID, STAMP, SIGNATURES = "svix-id", "svix-timestamp", "svix-signature"

KEY_SETTINGS = ("webhook_secret", "webhook_secret_previous")
"""The signing secret as Resend shows it (`whsec_...`), and the one before."""

AGE_MAX = timedelta(hours=29)
"""The repeats end after 27 h 35 min; an hour more for what waits on the way."""

AHEAD_MAX = timedelta(minutes=10)
"""How far its clock may be ahead of ours."""

_PREFIX = "whsec_"


def verify(account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Nothing; raises NotAuthentic, also for an account without a secret: Resend signs."""
    secrets = [account.settings[name] for name in KEY_SETTINGS if account.settings.get(name)]
    if not secrets:
        raise NotAuthentic("the account has no webhook_secret to verify with")
    message_id, stamp = headers.get(ID, ""), headers.get(STAMP, "")
    _check_age(stamp, now)
    signed = f"{message_id}.{stamp}.".encode("utf-8", "replace") + body
    proofs = [hmac.new(_key(secret), signed, "sha256").digest() for secret in secrets]
    given = list(_signatures(headers.get(SIGNATURES, "")))
    fits = [hmac.compare_digest(proof, one) for proof in proofs for one in given]
    if not message_id or not any(fits):
        raise NotAuthentic("the signature is missing or does not belong to this body")


def _check_age(stamp: str, now: datetime) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise NotAuthentic("the timestamp is missing or no Unix time")
    age = now - datetime.fromtimestamp(int(stamp), UTC)
    if age > AGE_MAX:
        raise NotAuthentic("the timestamp is older than Resend's repeats can be")
    if age < -AHEAD_MAX:
        raise NotAuthentic("the timestamp lies in the future")


def _signatures(header: str) -> Iterator[bytes]:
    """The signatures of version 1, at most a handful; others are passed over."""
    for one in header.split(" ")[:8]:
        version, _, text = one.partition(",")
        if version == "v1":
            try:
                yield base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue


def _key(secret: str) -> bytes:
    """The bytes of a setting; NotAuthentic, without the text, when it is none."""
    try:
        return base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("the account's webhook_secret is no Resend signing secret") from error
