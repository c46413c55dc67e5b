"""The only way into the ledger: checks that both doors share, then the group commit."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from postroom.domain.address import (
    Address,
    AddressError,
    is_allowed_domain,
    parse_address,
    suppression_key,
)
from postroom.domain.canary import Plan
from postroom.domain.delivery import Stage
from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind
from postroom.domain.problem import FieldError, Problem, forbidden, invalid, invalid_field
from postroom.domain.template import OWN_PREFIX, UNSUBSCRIBE, TemplateError
from postroom.domain.template import parse as parse_template
from postroom.domain.wrong_fields import ERRORS_SHOWN_MAX
from postroom.ledger.acceptance import Acceptance, Idempotency, NewDelivery, NewMessage
from postroom.ledger.clock import utc_now
from postroom.ledger.idempotency import accepted_before
from postroom.ledger.keys import Caller
from postroom.ledger.writer import accept_message
from postroom.submission.canary import first_ones

CLOCK_TOLERANCE = timedelta(minutes=5)
"""A `send_at` this far in the past means now: clocks of callers are not ours."""


class Recipient(NamedTuple):
    """One recipient as submitted; the address is not checked yet."""

    email: str
    name: str | None = None
    ref: str | None = None
    vars: dict[str, str] | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What a door read from a request, in the form that both doors share."""

    door: str
    """`http` or `smtp`."""
    raw: bytes = field(repr=False)
    """As received: the JSON body, or the DATA of the transaction."""
    senders: Sequence[Address]
    """Every mailbox of From and Sender, the author first; each needs a domain that is allowed."""
    recipients: Sequence[Recipient] = field(repr=False)
    subject: str = ""
    templates: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Field name to a text with `{{ key }}` fields in it."""
    mail_from: str | None = None
    header_message_id: str | None = None
    communication: str | None = None
    lane: Lane = Lane.NORMAL
    on_doubt: str | None = None
    """None: by the lane."""
    send_at: datetime | None = None
    expires_at: datetime | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    notify: Mapping[str, Any] | None = None
    resend_of: UUID | None = None
    idempotency: Idempotency | None = None
    canary: Plan | None = None
    kind: MailKind = MailKind.TRANSACTIONAL
    critical: bool = False
    """Goes in spite of suppressions; needs a scope of its own."""


def accept(submission: Submission, caller: Caller) -> Future[Acceptance]:
    """The acceptance, once it is on disk; `ledger.writer.accept_message` says what it may raise.

    Raises Problem at once when the whole submission is refused. A single recipient that cannot
    be written to never sinks the others: it becomes a `rejected` delivery with its reason.
    """
    _check_scopes(submission, caller)
    _check_senders(submission.senders, caller)
    try:
        send_at = _checked_send_at(submission, utc_now())
    except Problem:
        # A repeat of what was accepted when its times were still ahead gets the same answer.
        earlier = _accepted_before(submission, caller)
        if earlier is None:
            raise
        return earlier
    keys = _template_keys(submission.templates)
    stage = Stage.SCHEDULED if send_at else Stage.QUEUED
    deliveries = list(_deliveries(submission.recipients, keys, caller, stage))
    if submission.canary is not None:
        deliveries = first_ones(deliveries, submission.canary)
    if all(delivery.reason == "address_syntax" for delivery in deliveries):
        raise _no_valid_recipient(deliveries)
    return accept_message(_new_message(submission, caller, deliveries, send_at))


def _check_scopes(submission: Submission, caller: Caller) -> None:
    """403 for a key that may not send, or not urgent or critical mail as asked for."""
    if not caller.may("send"):
        raise forbidden("this key has no scope send")
    if submission.critical and not caller.may("critical"):
        raise forbidden(
            "this key has no scope critical, which mail needs that goes in spite of suppressions"
            if caller.key_id
            else f"the relayed mail of {caller.application} may not be critical"
        )
    if submission.lane is Lane.URGENT and not caller.may("urgent"):
        raise forbidden(
            "this key has no scope urgent, which lane urgent needs"
            if caller.key_id
            else f"the relayed mail of {caller.application} may not use lane urgent"
        )


def _check_senders(senders: Sequence[Address], caller: Caller) -> None:
    """403 for a From domain the key may not use; `team` and `test` keys may be without a list."""
    if not caller.from_domains:
        if caller.kind == "live":
            raise forbidden("this live key has no From domain yet; create one with --from-domain")
        return
    for sender in senders:
        if not is_allowed_domain(sender.domain, caller.from_domains):
            raise forbidden(f"this key may not send from the domain {sender.domain}")


def _checked_send_at(submission: Submission, now: datetime) -> datetime | None:
    """The time to wait for, None for at once; 422 for times that cannot be kept."""
    send_at, expires_at = submission.send_at, submission.expires_at
    if send_at is not None:
        if send_at < now - CLOCK_TOLERANCE:
            raise invalid_field("send_at", f"is in the past: it is {now:%Y-%m-%dT%H:%M:%SZ} now")
        days = settings.POSTROOM_SEND_AT_DAYS_MAX
        if send_at > now + timedelta(days=days):
            raise invalid_field("send_at", f"is too far ahead: at most {days} days from now")
        send_at = send_at if send_at > now else None
    if expires_at is not None and expires_at <= (send_at or now):
        what = "send_at" if send_at else "now"
        raise invalid_field("expires_at", f"is not after {what}: nothing could be sent")
    return send_at


def _accepted_before(submission: Submission, caller: Caller) -> Future[Acceptance] | None:
    if submission.idempotency is None:
        return None
    earlier = accepted_before(caller.application_id, submission.idempotency, submission.lane)
    if earlier is None:
        return None
    future: Future[Acceptance] = Future()
    future.set_result(earlier)
    return future


def _template_keys(templates: Mapping[str, str]) -> frozenset[str]:
    """Every field that a recipient's `vars` must hold; 422 for a syntax error or one of ours."""
    keys: frozenset[str] = frozenset()
    for name, text in templates.items():
        if "{{" in text:
            keys |= _keys_of(name, text)
    return keys


def _keys_of(field: str, text: str) -> frozenset[str]:
    try:
        keys = parse_template(text).keys
    except TemplateError as error:
        raise invalid_field(field, str(error)) from error
    for key in sorted(keys):
        if key.startswith(OWN_PREFIX) and key != UNSUBSCRIBE:
            raise invalid_field(field, f"has {{{{ {key} }}}}: such names are Postroom's own")
    return keys - {UNSUBSCRIBE}


def _deliveries(
    recipients: Sequence[Recipient], keys: frozenset[str], caller: Caller, stage: Stage
) -> Iterator[NewDelivery]:
    """One delivery per recipient; the first wins where two are the same mailbox."""
    seen: set[str] = set()
    allow_list = _AllowList(caller.allow_list) if caller.kind == "team" else None
    for recipient in recipients:
        try:
            address = parse_address(recipient.email)
        except AddressError as error:
            key = recipient.email.strip().casefold()
            reason: str | None = "address_syntax"
            text: str | None = str(error)
            email = recipient.email
        else:
            key, email = suppression_key(address), address.spec
            reason, text = _refusal(recipient, key, address, keys, allow_list)
        if key in seen:
            continue
        seen.add(key)
        yield NewDelivery(
            email,
            key,
            recipient.name,
            recipient.ref,
            recipient.vars,
            recipient.metadata,
            Stage.REJECTED if reason else stage,
            reason,
            text,
        )


class _AllowList:
    """Addresses and domains that a `team` key may write to."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._keys = {suppression_key(entry) for entry in entries if "@" in entry.lstrip("@")}
        self._domains = tuple(
            entry.lstrip("@") for entry in entries if "@" not in entry.lstrip("@")
        )

    def holds(self, key: str, domain: str) -> bool:
        return key in self._keys or is_allowed_domain(domain, self._domains)


def _refusal(
    recipient: Recipient,
    key: str,
    address: Address,
    keys: frozenset[str],
    allow_list: _AllowList | None,
) -> tuple[str | None, str | None]:
    """Reason and text where this recipient alone is refused, else (None, None)."""
    if allow_list is not None and not allow_list.holds(key, address.domain):
        return "policy_refused", "a team key may write only to its application's allow-list"
    if keys and not keys <= (recipient.vars or {}).keys():
        missing = ", ".join(sorted(keys - (recipient.vars or {}).keys()))
        return "render_failed", f"no value in vars for the template field: {missing}"
    return None, None


def _no_valid_recipient(deliveries: Sequence[NewDelivery]) -> Exception:
    errors = (
        FieldError("to", f"{delivery.recipient!r}: {delivery.reason_text}")
        for delivery in deliveries[:ERRORS_SHOWN_MAX]
    )
    return invalid("no recipient has a valid address", *errors)


def _new_message(
    submission: Submission,
    caller: Caller,
    deliveries: list[NewDelivery],
    send_at: datetime | None,
) -> NewMessage:
    return NewMessage(
        application_id=caller.application_id,
        key_id=caller.key_id,
        communication=submission.communication,
        door=submission.door,
        simulated=caller.simulated,
        lane=submission.lane,
        from_address=submission.senders[0].spec,
        mail_from=submission.mail_from,
        subject=submission.subject,
        header_message_id=submission.header_message_id,
        on_doubt=submission.on_doubt,
        submission=submission.raw,
        deliveries=deliveries,
        duplicates=len(submission.recipients) - len(deliveries),
        tags=list(submission.tags),
        metadata=dict(submission.metadata),
        notify=dict(submission.notify) if submission.notify else None,
        send_at=send_at,
        expires_at=submission.expires_at,
        resend_of=submission.resend_of,
        canary=submission.canary,
        kind=submission.kind,
        critical=submission.critical,
        idempotency=submission.idempotency,
    )
