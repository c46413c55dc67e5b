"""Delivery status notifications (RFC 3464, RFC 6533): one event for every recipient of a report."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from email.message import Message

from postroom.domain import reason
from postroom.domain.address import AddressError, suppression_key
from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.domain.reason_texts import by_text, normalised
from postroom.providers.base import Heard
from postroom.providers.bounces import oldstyle
from postroom.providers.bounces.arf import text_of_report
from postroom.providers.bounces.fields import field, groups, recipient, typed, when

ACTIONS: dict[str, EventType] = {
    "failed": EventType.BOUNCED,
    "delayed": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "relayed": EventType.DELIVERED,
    "expanded": EventType.DELIVERED,
}
"""RFC 3464, section 2.3.3. Relayed and expanded ones went on to where no report comes from."""

FORWARD_FAILED = "forward_failed"
"""The provider type of a delivery whose forwarding failed later: it stays delivered."""
FORWARDED = "forwarded"
"""The provider type of the failure at an address that ours was forwarded to."""

STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
Group = dict[str, str]


def statuses(parts: Iterable[Message], mail: Message, lines: Sequence[str]) -> Iterator[Heard]:
    """The events of the report parts; `lines` are the prose beside them."""
    for part in parts:
        for group in groups(text_of_report(part)):
            yield from status(group, mail, lines)


def status(group: Group, mail: Message, lines: Sequence[str]) -> Iterator[Heard]:
    """The events of one block of fields; none when it names no recipient or no outcome."""
    final, original = recipient(group, "final-recipient"), recipient(group, "original-recipient")
    action = group.get("action", "").split("(")[0].strip().lower()
    code = extract_codes(group.get("status", ""))[1]
    if not (final or original) or not (action or code):
        return
    heard = _heard(group, mail, action, code)
    heard = _with_words(heard, oldstyle.words_for(lines, final or original))
    if original is None or final is None or same_mailbox(original, final):
        yield replace(heard, recipient=original or final)
    elif heard.type is EventType.BOUNCED:
        yield from forwarded(heard, original, final)
    else:
        yield replace(heard, recipient=original)


def forwarded(failure: Heard, ours: str, theirs: str) -> Iterator[Heard]:
    """What the failure of a forwarding means: ours took the mail, only theirs did not."""
    yield replace(failure, recipient=theirs, provider_type=FORWARDED)
    yield as_delivered(failure, ours)


def as_delivered(failure: Heard, ours: str | None) -> Heard:
    """The delivery to our recipient, with the failure behind it as a note."""
    return replace(
        failure,
        type=EventType.DELIVERED,
        recipient=ours,
        provider_type=FORWARD_FAILED,
        given_up=False,
    )


def same_mailbox(one: str, other: str) -> bool:
    """Whether two addresses name one mailbox, the second perhaps as its own host writes it."""
    try:
        if suppression_key(one) == suppression_key(other):
            return True
    except AddressError:
        pass
    (local, _, domain), (local2, _, domain2) = one.rpartition("@"), other.rpartition("@")
    if local.lower() != local2.lower():
        return False
    return "." not in domain2 or _within(domain.lower(), domain2.lower())


def _within(domain: str, other: str) -> bool:
    return domain == other or domain.endswith(f".{other}") or other.endswith(f".{domain}")


def _heard(group: Group, mail: Message, action: str, code: str | None) -> Heard:
    diagnostic = group.get("diagnostic-code") or None
    reply_code, enhanced_code = extract_codes(diagnostic or "")
    stamp = group.get("last-attempt-date") or field(mail, "Date") or ""
    return Heard(
        type=_type(action, code),
        recipient=None,
        occurred_at=when(stamp) or when(field(mail, "Date")),
        occurred_raw=stamp,
        provider_type=action or "failed",
        reply_code=reply_code,
        enhanced_code=_more_telling(enhanced_code, code),
        diagnostic=diagnostic,
        remote_host=typed(group, "remote-mta"),
        asynchronous=True,
        given_up=action == "failed" and (code or "").startswith("4."),
    )


def _type(action: str, code: str | None) -> EventType:
    if action in ACTIONS:
        return ACTIONS[action]
    return EventType.DELIVERED if (code or "").startswith("2.") else EventType.BOUNCED


def _more_telling(said: str | None, code: str | None) -> str | None:
    """The receiver's own code, unless it is a general one and the status is not."""
    if said is None or (said.endswith(".0.0") and code is not None):
        return code
    return said


def _with_words(heard: Heard, words: str | None) -> Heard:
    """With what the prose says, where the fields alone give no reason or are not the last word."""
    if heard.type not in (EventType.BOUNCED, EventType.DEFERRED) or words is None:
        return heard
    if not oldstyle.is_refusal_by_store(words):
        if heard.diagnostic and reason.read(heard).reason != "unclassified":
            return heard
        if heard.diagnostic and by_text(normalised(words), None, None) is None:
            return heard
    return replace(heard, diagnostic=f"{heard.diagnostic or ''} {words}".strip())
