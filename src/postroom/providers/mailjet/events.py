"""What Mailjet's Event API tells, in the normal form.

https://dev.mailjet.com/email/guides/webhooks, read 2026-11-24. A post is one event, or (version 2)
an array of all events of the last second, of mixed types. It carries no signature.
"""

from collections.abc import Iterator, Mapping

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Heard
from postroom.providers.json_events import Item, one_or_many
from postroom.providers.login import LoginReceiver

TYPES: dict[str, EventType] = {
    "sent": EventType.DELIVERED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "bounce": EventType.BOUNCED,
    "blocked": EventType.REJECTED,
    "spam": EventType.COMPLAINED,
    "unsub": EventType.UNSUBSCRIBED,
}
"""Every `event` of the vendor's page. `sent` means that the recipient's server took the mail."""

KEPT_BACK = frozenset({
    "user unknown", "mailbox inactive", "quota exceeded", "invalid domain", "no mail host",
    "blacklisted", "spam reporter", "preblocked",
})  # fmt: skip
"""Errors of `blocked` by which it was kept back for what is known of the address."""

DEFERRED = frozenset({"greylisted"})
"""Errors of `bounce` after which delivery is attempted again; after the others it is not."""


class MailjetReceiver(LoginReceiver):
    """Proves and reads what the Event API posts."""

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The events in the order posted; Unreadable, before the first, when it is no JSON."""
        return map(_heard, one_or_many(body))


def _heard(item: Item) -> Heard:
    """One event; what has no row, or is no object, is `unknown` and kept."""
    fields = item.value if isinstance(item.value, dict) else {}
    event = told.text(fields, "event") or ""
    error = told.text(fields, "error") or told.text(fields, "error_related_to") or ""
    type = _type(event, error)
    words = next(filter(None, (told.text(fields, n) for n in ("comment", "smtp_reply"))), error)
    reply_code, enhanced_code = extract_codes(words.removeprefix("sent "))
    stamp = told.text(fields, "time") or ""
    return Heard(
        type=type,
        recipient=told.text(fields, "email"),
        occurred_at=told.unix_time(stamp),
        occurred_raw=stamp,
        provider_type=event,
        provider_class=f"blocked/{error}" if event == "blocked" else error,
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words or None,
        url=told.text(fields, "url") if type is EventType.CLICKED else None,
        user_agent=told.text(fields, "agent"),
        given_up=type is EventType.BOUNCED and not _is_hard(fields, reply_code, enhanced_code),
        handover_id=told.uuid(fields, "CustomID"),
        provider_message_id=told.text(fields, "MessageID") or told.text(fields, "mj_message_id"),
        start=item.start,
        length=item.length,
    )


def _type(event: str, error: str) -> EventType:
    if event == "blocked" and error in KEPT_BACK:
        return EventType.SUPPRESSED
    if event == "bounce" and error in DEFERRED:
        return EventType.DEFERRED
    return TYPES.get(event, EventType.UNKNOWN)


def _is_hard(fields: told.Fields, reply_code: int | None, enhanced_code: str | None) -> bool:
    """Whether the failure is permanent: by the vendor's word, unless the receiver says `later`."""
    if enhanced_code or reply_code:
        later = (enhanced_code or str(reply_code)).startswith("4")
        return not later and _is_true(fields.get("hard_bounce"))
    return _is_true(fields.get("hard_bounce"))


def _is_true(value: object) -> bool:
    """Also a text or a number, as older posts have it."""
    return value is True or str(value).lower() in {"true", "1"}
