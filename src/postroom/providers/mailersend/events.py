"""What MailerSend's webhooks tell, in the normal form.

https://developers.mailersend.com/api/v1/account/webhooks and
https://www.mailersend.com/help/webhooks, read 2026-11-24. A post is one event, in one of two
forms: 1.0 nests recipient and message, 2.0 is flat and has what is special in `meta`. It is signed
over its bytes, and repeated for three days; any 4xx but 429 ends that.

Before MailerSend saves a webhook it posts `webhook.test`, signed with a secret that stands in its
documentation. Anybody can sign so. It is let through only while the account says so, for as long
as somebody sets the webhook up, and it never tells anything.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import hex_signature, told
from postroom.providers.base import Account, Heard, Unreadable
from postroom.providers.json_events import value

HANDOVER_LABEL = "postroom_handover"
"""A tag of ours is the label, a colon, and the id."""

TYPES: dict[str, EventType] = {
    "activity.sent": EventType.ACCEPTED,
    "activity.delivered": EventType.DELIVERED,
    "activity.deferred": EventType.DEFERRED,
    "activity.soft_bounced": EventType.BOUNCED,
    "activity.hard_bounced": EventType.BOUNCED,
    "activity.suppressed": EventType.SUPPRESSED,
    "activity.opened": EventType.OPENED,
    "activity.opened_unique": EventType.OPENED,
    "activity.clicked": EventType.CLICKED,
    "activity.clicked_unique": EventType.CLICKED,
    "activity.unsubscribed": EventType.UNSUBSCRIBED,
    "activity.spam_complaint": EventType.COMPLAINED,
    "activity.survey_opened": EventType.OPENED,
    "activity.survey_submitted": EventType.UNKNOWN,
}
"""Every activity of the vendor's page. A soft bounce is the end: while MailerSend goes on trying,
it says `deferred`."""

NO_DELIVERY: frozenset[str] = frozenset({
    "webhook.test", "maintenance.start", "maintenance.end", "sender_identity.verified",
    "inbound.message", "inbound_forward.failed", "inbound_message.rejected",
    "email_single.verified", "email_list.verified", "bulk_email.completed",
    "recipient.on_hold_added", "recipient.on_hold_removed", "sms.sent", "sms.delivered",
    "sms.failed",
})  # fmt: skip
"""The other events of that page: they say nothing about a delivery."""

_PING_SETTING = "webhook_ping"
_PING_SECRET = "test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"  # noqa: S105 - public, and proves nothing
_SIGNATURE = "signature"
_WORDS = (
    "bounce_reason", "readable_reason", "reason", "suppression_reason", "unsubscribe_reason",
)  # fmt: skip


class MailerSendReceiver:
    """Proves and reads what the webhooks post."""

    signed = True

    def verify(
        self,
        account: Account,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,  # noqa: ARG002 - no stamp is signed
    ) -> None:
        """Nothing; raises NotAuthentic, also for an account without a secret."""
        waits = account.settings.get(_PING_SETTING) == "yes"
        if waits and _is_ping(headers.get(_SIGNATURE, ""), body):
            return
        hex_signature.verify(account, headers, body, _SIGNATURE)

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The one event of a post, or none; raises Unreadable when it is no JSON."""
        event = value(body)
        return _heard(event if isinstance(event, dict) else {})


def _is_ping(signature: str, body: bytes) -> bool:
    """Whether it is the test by which MailerSend asks for an answer before it saves a webhook."""
    if not hex_signature.signs(_PING_SECRET, signature, body):
        return False
    try:
        event = value(body)
    except Unreadable:
        return False
    return isinstance(event, dict) and event.get("type") == "webhook.test" and "data" not in event


def _heard(event: told.Fields) -> Iterator[Heard]:
    """What has no row, or is no object, is `unknown` and kept."""
    name = told.text(event, "type") or ""
    if name in NO_DELIVERY:
        return
    activity = told.inner(event, "data")
    more = {**told.inner(activity, "morph"), **told.inner(activity, "meta")}
    type = TYPES.get(name, EventType.UNKNOWN)
    words = next(filter(None, (told.text(more, word) for word in _WORDS)), None)
    reply_code, enhanced_code = _codes(more, words or "")
    stamp = told.text(activity, "created_at") or told.text(event, "created_at") or ""
    yield Heard(
        type=type,
        recipient=_recipient(activity),
        occurred_at=told.iso_time(stamp),
        occurred_raw=stamp,
        provider_type=name,
        provider_class=_class(type, name, more),
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        url=told.text(more, "url") if type is EventType.CLICKED else None,
        user_agent=told.text(more, "user_agent"),
        given_up=type is EventType.BOUNCED and _given_up(name, reply_code, enhanced_code),
        handover_id=_handover_id(activity),
        provider_message_id=_message_id(activity),
        event_id=told.text(activity, "id"),
    )


def _recipient(activity: told.Fields) -> str | None:
    """Flat in one of two fields, or nested in the older form."""
    nested = told.inner(told.inner(activity, "email"), "recipient")
    flat = told.text(activity, "recipient") or told.text(activity, "email")
    return flat or told.text(nested, "email")


def _message_id(activity: told.Fields) -> str | None:
    nested = told.inner(told.inner(activity, "email"), "message")
    return told.text(activity, "message_id") or told.text(nested, "id")


def _handover_id(activity: told.Fields) -> UUID | None:
    tags = told.listed(activity, "tags") + told.listed(told.inner(activity, "email"), "tags")
    for tag in (told.text({"": one}, "") or "" for one in tags):
        label, _, handover = tag.partition(":")
        if label == HANDOVER_LABEL:
            return told.uuid({label: handover}, HANDOVER_LABEL)
    return None


def _class(type: EventType, name: str, more: told.Fields) -> str:
    if type is EventType.SUPPRESSED:
        reason = told.text(more, "suppression_reason")
        return f"suppressed/{reason}" if reason else "suppressed"
    failed = type in (EventType.BOUNCED, EventType.DEFERRED)
    return name.removeprefix("activity.") if failed else ""


def _codes(more: told.Fields, words: str) -> tuple[int | None, str | None]:
    """The server's own code, and the enhanced one of its words."""
    reply_code, enhanced_code = extract_codes(words)
    given = told.text(more, "bounce_code") or ""
    named = int(given) if given.isascii() and given.isdigit() and len(given) == 3 else None
    return named or reply_code, enhanced_code or extract_codes(given)[1]


def _given_up(name: str, reply_code: int | None, enhanced_code: str | None) -> bool:
    """Whether it is the end of deferrals: by the vendor's word, or by a code of class 4."""
    if name == "activity.soft_bounced":
        return True
    return (enhanced_code or str(reply_code or "")).startswith("4")
