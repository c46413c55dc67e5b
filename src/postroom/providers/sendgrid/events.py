"""SendGrid's Event Webhook: proved by its signature, read into the normal form.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and .../getting-started-
event-webhook-security-features, read 2026-11-24.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Account, Heard, NotAuthentic
from postroom.providers.json_events import Item, items
from postroom.providers.sendgrid.compose import HANDOVER_ARG

TYPES: dict[str, EventType] = {
    "processed": EventType.ACCEPTED,
    "deferred": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "blocked": EventType.BOUNCED,
    "dropped": EventType.REJECTED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "spamreport": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
    "group_resubscribe": EventType.RESUBSCRIBED,
    "account_status_change": EventType.UNKNOWN,
}
"""Every `event` of the vendor's page. `blocked` stands there as the `type` of a bounce only."""

SUPPRESSED: frozenset[str] = frozenset(
    {"Bounced Address", "Spam Reporting Address", "Unsubscribed Address"}
)
"""Reasons of `dropped` by which the vendor's own list kept the mail back."""

_TEXT_FIELDS = {"deferred": "response", "delivered": "response"}
"""Where the receiver's words stand; `reason` for the others."""

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

AGE_MAX = timedelta(hours=25)
"""SendGrid repeats for 24 hours; an hour more for what waits on the way."""

AHEAD_MAX = timedelta(minutes=10)
"""How far its clock may be ahead of ours."""

KEY_SETTINGS = ("webhook_public_key", "webhook_public_key_previous")
"""The verification key as the vendor shows it, and the one before while a rotation goes on."""


class SendGridReceiver:
    """Proves and reads what the Event Webhook posts."""

    signed = True

    def verify(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> None:
        """Nothing; raises NotAuthentic, also for an account without a key: SendGrid signs."""
        keys = [account.settings[name] for name in KEY_SETTINGS if account.settings.get(name)]
        if not keys:
            raise NotAuthentic("the account has no webhook_public_key to verify with")
        stamp = headers.get(_TIMESTAMP, "")
        signature = _signature(headers.get(_SIGNATURE, ""))
        _check_age(stamp, now)
        signed = stamp.encode() + body
        if not any(_signs(key, signature, signed) for key in keys):
            raise NotAuthentic("the signature does not belong to this body")

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The events in the order posted; Unreadable, before the first, when it is no array."""
        return map(heard, items(body))


def _check_age(stamp: str, now: datetime) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise NotAuthentic("the timestamp is missing or no Unix time")
    age = now - datetime.fromtimestamp(int(stamp), UTC)
    if age > AGE_MAX:
        raise NotAuthentic("the timestamp is older than SendGrid's repeats can be")
    if age < -AHEAD_MAX:
        raise NotAuthentic("the timestamp lies in the future")


def _signature(text: str) -> bytes:
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("the signature is no base64") from error
    if not signature:
        raise NotAuthentic("the signature is missing")
    return signature


def _signs(key: str, signature: bytes, signed: bytes) -> bool:
    try:
        _public_key(key).verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _public_key(text: str) -> ec.EllipticCurvePublicKey:
    """The key of a setting; NotAuthentic, without the text, when it is none."""
    try:
        key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotAuthentic("the account's webhook_public_key is no public key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise NotAuthentic("the account's webhook_public_key is no P-256 key")
    return key


def heard(item: Item) -> Heard:
    """One event; what has no row, or is no object, is `unknown` and kept."""
    fields = item.value if isinstance(item.value, dict) else {}
    event = told.text(fields, "event") or ""
    type = _type(event, fields)
    words = told.text(fields, _TEXT_FIELDS.get(event, "reason"))
    reply_code, enhanced_code = _codes(fields, words)
    stamp = told.text(fields, "timestamp") or ""
    return Heard(
        type=type,
        recipient=told.text(fields, "email"),
        occurred_at=told.unix_time(stamp),
        occurred_raw=stamp,
        provider_type=_provider_type(event, fields),
        provider_class=_provider_class(event, fields),
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        url=told.text(fields, "url") if type is EventType.CLICKED else None,
        user_agent=told.text(fields, "useragent"),
        machine=told.flag(fields, "sg_machine_open") if type is EventType.OPENED else None,
        given_up=type is EventType.BOUNCED and _is_temporary(reply_code, enhanced_code, words),
        handover_id=told.uuid(fields, HANDOVER_ARG),
        provider_message_id=told.text(fields, "sg_message_id"),
        event_id=told.text(fields, "sg_event_id"),
        start=item.start,
        length=item.length,
    )


def _type(event: str, fields: told.Fields) -> EventType:
    type = TYPES.get(event, EventType.UNKNOWN)
    if type is EventType.REJECTED and told.text(fields, "reason") in SUPPRESSED:
        return EventType.SUPPRESSED
    return type


def _provider_type(event: str, fields: told.Fields) -> str:
    """The event, and for a bounce its `type`: `blocked` says that the address is not at fault."""
    kind = told.text(fields, "type") if event == "bounce" else None
    return kind or event


def _provider_class(event: str, fields: told.Fields) -> str:
    name = "reason" if event == "dropped" else "bounce_classification"
    return told.text(fields, name) or ""


def _codes(fields: told.Fields, words: str | None) -> tuple[int | None, str | None]:
    """The codes in the receiver's words; SendGrid's own `status` where they hold none."""
    reply_code, enhanced_code = extract_codes(words or "")
    status = extract_codes(told.text(fields, "status") or "")[1]
    return reply_code, enhanced_code or status


def _is_temporary(reply_code: int | None, enhanced_code: str | None, words: str | None) -> bool:
    """Whether a bounce is the end of deferrals: SendGrid tries for 72 hours, then bounces."""
    if enhanced_code:
        return enhanced_code.startswith("4.")
    if reply_code:
        return reply_code < 500
    return "unable to deliver message after" in (words or "").lower()
