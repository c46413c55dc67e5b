"""What the call for evidence answers: a delivery's own bytes, as text where they are text."""

from base64 import b64encode
from typing import Any
from uuid import UUID

from ninja import Schema

from postroom.ledger import evidence as kept
from postroom.reports.instant import Instant


class Part(Schema):
    """A run of bytes: `text` where it is UTF-8, else `base64`; neither: it is another's own."""

    start: int
    length: int
    text: str | None
    base64: str | None


class Whole(Schema):
    """Something that was kept: the parts that belong to this delivery, and what all of it was."""

    sha256: str | None
    """Of all its bytes, in hexadecimal; null: they are not kept any more."""
    size_bytes: int | None
    parts: list[Part]


class AttemptEvidence(Schema):
    """One call to a provider, as far as it concerns this delivery."""

    attempt_id: UUID
    handover_id: UUID
    account: str
    road: str
    recipients: int
    begun_at: Instant
    ended_at: Instant | None
    outcome: str | None
    changes: list[str]
    request: Whole
    status: int | None
    headers: dict[str, str]
    response: Whole | None
    error: str | None


class ReceiptEvidence(Schema):
    """One notification that told something of this delivery."""

    receipt_id: UUID
    account: str
    received_at: Instant
    headers: dict[str, str]
    body: Whole


class Evidence(Schema):
    """The bytes behind the verdict."""

    delivery_id: UUID
    submission: Whole
    attempts: list[AttemptEvidence]
    receipts: list[ReceiptEvidence]


def evidence(delivery_id: UUID, found: kept.Evidence) -> dict[str, Any]:
    """The evidence of a delivery, its bytes as text where they are text."""
    return {
        "delivery_id": delivery_id,
        "submission": _whole(found.submission),
        "attempts": [_attempt(one) for one in found.attempts],
        "receipts": [_receipt(one) for one in found.receipts],
    }


def _attempt(one: kept.AttemptEvidence) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in AttemptEvidence.model_fields}
    response = None if one.response is None else _whole(one.response)
    return plain | {"request": _whole(one.request), "response": response}


def _receipt(one: kept.ReceiptEvidence) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in ReceiptEvidence.model_fields}
    return plain | {"body": _whole(one.body)}


def _whole(whole: kept.Whole) -> dict[str, Any]:
    return {
        "sha256": None if whole.sha256 is None else bytes(whole.sha256).hex(),
        "size_bytes": whole.size_bytes,
        "parts": [_part(part) for part in whole.parts],
    }


def _part(part: kept.Part) -> dict[str, Any]:
    text = encoded = None
    if part.data is not None:
        try:
            text = part.data.decode()
        except UnicodeDecodeError:
            encoded = b64encode(part.data).decode()
    return {"start": part.start, "length": part.length, "text": text, "base64": encoded}
