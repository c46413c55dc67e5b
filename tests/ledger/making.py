"""Messages, attempts and events as short as a test wants them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from postroom.domain.address import suppression_key
from postroom.domain.delivery import VERDICTS, EventType, Grade, Outcome, grade_of
from postroom.domain.lane import Lane
from postroom.ledger import accounts, attempts, keys, queue, settlements
from postroom.ledger.acceptance import Acceptance, NewDelivery, NewMessage
from postroom.ledger.attempts import NewAttempt, NewHandover
from postroom.ledger.db import connection
from postroom.ledger.events import NewEvent
from postroom.ledger.ids import uuid7, uuid7_like
from postroom.ledger.queue import Claimed
from postroom.ledger.settlements import HandoverResult, Settlement, Then
from postroom.ledger.writer import accept_message


def now() -> datetime:
    return datetime.now(UTC)


def application(name: str = "shop") -> int:
    """An application's id; made with a test key of its own."""
    created = keys.create_key(name, "test", ["send", "read"])
    caller = keys.login(created.id, created.secret)
    assert caller is not None
    return caller.application_id


def account(name: str = "simulator") -> int:
    row = accounts.by_name(name)
    if row is None:
        accounts.add(name, "sendgrid", True, {"api_key": "secret"})
        row = accounts.by_name(name)
    assert row is not None
    return row.id


def new_message(
    application_id: int, recipients: Sequence[str] = ("ann@example.com",), **changes: Any
) -> NewMessage:
    described: dict[str, Any] = {
        "application_id": application_id,
        "key_id": None,
        "communication": None,
        "door": "http",
        "simulated": True,
        "lane": Lane.NORMAL,
        "from_address": "shop@example.org",
        "mail_from": None,
        "subject": "Hello",
        "header_message_id": None,
        "on_doubt": "hold",
        "submission": b'{"subject": "Hello"}',
        "deliveries": [
            NewDelivery(recipient=one, recipient_key=suppression_key(one)) for one in recipients
        ],
    }
    return NewMessage(**(described | changes))


def accept(new: NewMessage) -> Acceptance:
    return accept_message(new).result(10)


def claim(limit: int = 100, lease_s: float = 60) -> list[Claimed]:
    return queue.claim([True], limit, lease_s)


def begin(claimed: Sequence[Claimed], lease_s: float = 60) -> NewAttempt:
    """An attempt for these deliveries of one message, committed."""
    attempt = NewAttempt(
        id=uuid7(now()),
        message_id=claimed[0].message_id,
        account_id=account(),
        road="sendgrid",
        begun_at=now(),
        segments=[b"request"],
        shared={},
        handovers=[
            NewHandover(uuid7_like(one.delivery_id), one.delivery_id, one.fence, 0, 7)
            for one in claimed
        ],
        lease_s=lease_s,
    )
    attempts.begin([attempt])
    return attempt


def settle(
    attempt: NewAttempt, outcome: Outcome = Outcome.TAKEN, then: Then = Then.HANDED, **result: Any
) -> None:
    settlements.settle(
        [
            Settlement(
                attempt_id=attempt.id,
                ended_at=now(),
                outcome=outcome,
                status=202,
                headers={},
                body=b"",
                error=None,
                provider_message_id=f"id-{attempt.id}",
                results=[
                    HandoverResult(h.id, h.delivery_id, h.fence, outcome, then, **result)
                    for h in attempt.handovers
                ],
            )
        ]
    )


def event(receipt_id: UUID, handover_id: Any, type: EventType, **changes: Any) -> NewEvent:
    grade = grade_of(type)
    described: dict[str, Any] = {
        "account_id": account(),
        "receipt_id": receipt_id,
        "receipt_start": 0,
        "receipt_length": None,
        "received_at": now(),
        "handover_id": handover_id,
        "provider_message_ids": (),
        "address_key": None,
        "provider_type": str(type),
        "provider_class": "",
        "provider_event_id": None,
        "reply_code": None,
        "enhanced_code": None,
        "diagnostic": None,
        "remote_host": None,
        "url": None,
        "user_agent": None,
        "occurred_at": now(),
        "occurred_raw": "1",
        "type": str(type),
        "grade": int(grade),
        "verdict": str(VERDICTS[type]) if grade is not Grade.NONE else None,
        "reason": None,
        "permanence": None,
        "suppress": None,
        "machine": None,
        "asynchronous": None,
        "reason_basis": None,
        "rules": 1,
        "suppression_reason": None,
        "signed": True,
    }
    return NewEvent(**(described | changes))


def row(delivery_id: UUID, *columns: str) -> tuple[Any, ...]:
    """Columns of one delivery."""
    with connection() as conn:
        found = conn.execute(
            f"SELECT {', '.join(columns)} FROM delivery WHERE id = %s", (delivery_id,)
        ).fetchone()
    assert found is not None
    return found


def scalar(statement: str, *parameters: Any) -> Any:
    with connection() as conn:
        found = conn.execute(statement, parameters).fetchone()
    assert found is not None
    return found[0]


def somebody_waits() -> bool:
    """Whether a transaction waits for a lock of another."""
    return bool(
        scalar("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")
    )


def from_receipt(event: NewEvent, receipt_id: UUID) -> NewEvent:
    """The same event, told by another receipt."""
    return replace(event, receipt_id=receipt_id)
