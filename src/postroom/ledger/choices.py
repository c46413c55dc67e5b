"""What people themselves say about our mail: complaints, unsubscribes, and taking those back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.ledger.db import Connection
from postroom.ledger.failures import Key
from postroom.ledger.recordset import rows_json, rows_of
from postroom.ledger.suppressions import NewSuppression, add_with

_UNSUBSCRIBED = "unsubscribed"


class Word(Protocol):
    """What has to be known of an event."""

    @property
    def key(self) -> Key: ...
    @property
    def type(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def heard_at(self) -> datetime: ...
    @property
    def delivery_id(self) -> UUID | None: ...
    @property
    def event_digest(self) -> bytes | None: ...
    @property
    def receipt_id(self) -> UUID | None: ...


def follow(conn: Connection, told: Sequence[Word]) -> None:
    """Stop what people refuse, and let go what they want again, each in its kind of mail.

    What was refused before a person lifted it is not refused anew by being told late.
    """
    back = [one for one in told if one.type == EventType.RESUBSCRIBED]
    refused = [one for one in told if one.reason is not None]
    if not back and not refused:
        return
    kinds = _kinds(conn, {one.delivery_id for one in (*back, *refused) if one.delivery_id})
    lifted = _lifted(conn, {one.key for one in refused})

    def is_new(one: Word) -> bool:
        lifted_at = lifted.get((*one.key, one.reason or ""))
        return lifted_at is None or one.heard_at > lifted_at

    add_with(conn, [_suppression(one, kinds) for one in refused if is_new(one)])
    for one in back:
        _let_go(conn, one, kinds.get(one.delivery_id) if one.delivery_id else None)


def _kinds(conn: Connection, deliveries: Collection[UUID]) -> Mapping[UUID, str]:
    rows = conn.execute(
        "SELECT delivery.id, message.kind"
        "  FROM delivery"
        "  JOIN message ON message.id = message_id"
        " WHERE delivery.id = ANY(%s)",
        (list(deliveries),),
    )
    return dict(rows.fetchall())


_KEYS = {"simulated": "bool", "address_key": "text"}


def _lifted(conn: Connection, keys: Collection[Key]) -> dict[tuple[bool, str, str], datetime]:
    """When each reason was last lifted, by address."""
    rows = conn.execute(
        "SELECT simulated, address_key, reason, max(lifted_at)"
        f"  FROM {rows_of(_KEYS, 'wanted')}"
        "  JOIN suppression USING (simulated, address_key)"
        " WHERE lifted_at IS NOT NULL"
        " GROUP BY simulated, address_key, reason",
        (rows_json(_KEYS, sorted(keys)),),
    )
    return {(simulated, key, reason): at for simulated, key, reason, at in rows}


def _suppression(one: Word, kinds: Mapping[UUID, str]) -> NewSuppression:
    simulated, address_key = one.key
    in_kind = one.reason == _UNSUBSCRIBED and one.delivery_id is not None
    return NewSuppression(
        simulated,
        address_key,
        one.reason or "",
        "event",
        delivery_id=one.delivery_id,
        event_digest=one.event_digest,
        receipt_id=one.receipt_id,
        failed_at=one.heard_at,
        kind=kinds.get(one.delivery_id) if in_kind and one.delivery_id else None,
    )


def _let_go(conn: Connection, one: Word, kind: str | None) -> None:
    conn.execute(
        "UPDATE suppression"
        "   SET lifted_at = now(), lifted_by = 'recipient', lifting_delivery_id = %s,"
        "       lifted_reason = 'the person subscribed again'"
        " WHERE simulated = %s AND address_key = %s AND lifted_at IS NULL"
        "   AND reason = %s AND kind IS NOT DISTINCT FROM %s AND source = 'event'"
        "   AND failed_at <= %s",
        (one.delivery_id, *one.key, _UNSUBSCRIBED, kind, one.heard_at),
    )
