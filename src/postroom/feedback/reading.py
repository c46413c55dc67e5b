"""Our reading of a receipt: the provider's events, each with reason and grade. Pure."""

import logging
from collections.abc import Iterator

from postroom.domain.address import AddressError, suppression_key
from postroom.domain.delivery import VERDICTS, Grade, grade_of
from postroom.domain.reason import read
from postroom.domain.suppression import asked_by
from postroom.ledger.events import NewEvent
from postroom.ledger.receipts import ReadReceipt, Receipt
from postroom.providers.base import Heard, Receiver, Unreadable
from postroom.providers.history import PULLED
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)


def read_receipt(receipt: Receipt) -> ReadReceipt:
    """The events of a stored receipt; one that cannot be read says why and is kept."""
    receiver = PROVIDERS[receipt.provider].receiver
    if receiver is None:
        return ReadReceipt(receipt, error=f"{receipt.provider} sends no notifications")
    try:
        heard = _heard(receipt, receiver)
        events = tuple(_event(receipt, one, receiver.signed) for one in heard)
    except Unreadable as error:
        log.warning("receipt %s cannot be read: %s", receipt.id, error)
        return ReadReceipt(receipt, error=str(error))
    except Exception as error:
        log.exception("ALARM our reader of %s failed on receipt %s", receipt.provider, receipt.id)
        return ReadReceipt(receipt, error=f"our reader failed: {type(error).__name__}")
    return ReadReceipt(receipt, events)


def _heard(receipt: Receipt, receiver: Receiver) -> Iterator[Heard]:
    make_history = PROVIDERS[receipt.provider].make_history
    if PULLED in receipt.headers and make_history is not None:
        return make_history().parse(receipt.body)
    return receiver.parse(receipt.headers, receipt.body)


def _event(receipt: Receipt, heard: Heard, signed: bool) -> NewEvent:
    reading = read(heard, receipt.provider)
    asked = asked_by(heard.type, reading, heard.machine)
    grade = grade_of(heard.type, heard.machine)
    return NewEvent(
        account_id=receipt.account_id,
        receipt_id=receipt.id,
        receipt_start=heard.start,
        receipt_length=heard.length,
        received_at=receipt.received_at,
        handover_id=heard.handover_id,
        provider_message_ids=_ways_to_write(heard.provider_message_id),
        address_key=_key(heard.recipient),
        provider_type=_storable(heard.provider_type) or "",
        provider_class=_storable(heard.provider_class) or "",
        provider_event_id=_storable(heard.event_id),
        reply_code=heard.reply_code,
        enhanced_code=_storable(heard.enhanced_code),
        diagnostic=_storable(heard.diagnostic),
        remote_host=_storable(heard.remote_host),
        url=_storable(heard.url),
        user_agent=_storable(heard.user_agent),
        occurred_at=heard.occurred_at,
        occurred_raw=_storable(heard.occurred_raw) or "",
        type=str(heard.type),
        grade=int(grade),
        verdict=str(VERDICTS[heard.type]) if grade is not Grade.NONE else None,
        reason=reading.reason,
        permanence=reading.permanence and str(reading.permanence),
        suppress=str(reading.suppress),
        machine=heard.machine,
        asynchronous=heard.asynchronous,
        reason_basis=reading.basis,
        rules=reading.rules,
        suppression_reason=asked.reason if asked else None,
        signed=signed,
    )


def _storable(text: str | None) -> str | None:
    """PostgreSQL keeps neither NUL nor half of a surrogate pair; the receipt keeps the bytes."""
    if text is None:
        return None
    return text.replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def _ways_to_write(provider_message_id: str | None) -> tuple[str, ...]:
    """The id as told, and its first part: SendGrid appends the route to the id it answered."""
    if not provider_message_id:
        return ()
    whole = _storable(provider_message_id) or ""
    return tuple(dict.fromkeys((whole, whole.split(".", 1)[0])))


def _key(recipient: str | None) -> str | None:
    try:
        return suppression_key(recipient) if recipient else None
    except AddressError:
        return None
