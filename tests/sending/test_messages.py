"""Messages are read once, and the memory for those kept has a bound."""

import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from postroom.domain.lane import Lane
from postroom.domain.problem import Problem
from postroom.ledger.blobs import StoredMessage
from postroom.sending.messages import Message, RecentMessages, parsed

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def stored(number: int, submission: bytes, door: str = "http") -> StoredMessage:
    """A message as the ledger gives it."""
    return StoredMessage(
        message_id=UUID(int=number),
        application_id=1,
        application="shop",
        communication=None,
        door=door,
        from_address="a@example.com",
        mail_from=None,
        lane=Lane.NORMAL,
        tags=(),
        metadata={},
        on_doubt="hold",
        accepted_at=NOW,
        send_at=None,
        expires_at=None,
        submission=submission,
    )


def body(**fields: object) -> bytes:
    """A submission by HTTP."""
    return json.dumps({"from": "a@example.com", "to": ["b@example.com"]} | fields).encode()


class _Ledger:
    def __init__(self, size: int) -> None:
        self.reads: list[int] = []
        self._size = size

    def load(self, ids: Sequence[UUID]) -> list[StoredMessage]:
        self.reads += [id.int for id in ids]
        return [stored(id.int, b"x" * self._size, "smtp") for id in ids]


def recent(ledger: _Ledger, bytes_max: int) -> RecentMessages:
    return RecentMessages(ledger.load, lambda: NOW, bytes_max)


def read(messages: RecentMessages, number: int) -> Message:
    """The message of this number."""
    [message] = messages.get([UUID(int=number)]).values()
    assert isinstance(message, Message)
    return message


def test_a_message_is_read_once_while_it_is_in_use() -> None:
    ledger = _Ledger(10)
    messages = recent(ledger, 1_000)
    assert read(messages, 1) is read(messages, 1)
    assert ledger.reads == [1]


def test_the_one_not_used_for_longest_makes_room() -> None:
    ledger = _Ledger(100)
    messages = recent(ledger, 600)
    for number in (1, 2, 1, 3, 1, 2):
        read(messages, number)
    assert ledger.reads == [1, 2, 3, 2]


def test_a_message_larger_than_the_room_is_used_and_not_kept() -> None:
    ledger = _Ledger(1_000)
    messages = recent(ledger, 100)
    assert len(read(messages, 1).stored.submission) == 1_000
    read(messages, 1)
    assert ledger.reads == [1, 1]


def test_messages_of_one_claim_are_read_together() -> None:
    asked: list[Sequence[UUID]] = []

    def load(ids: Sequence[UUID]) -> list[StoredMessage]:
        asked.append(ids)
        return [stored(id.int, b"x", "smtp") for id in ids]

    messages = RecentMessages(load, lambda: NOW, 1_000)
    read(messages, 2)
    assert messages.get(UUID(int=n) for n in (1, 2, 3, 1)).keys() == {
        UUID(int=n) for n in (1, 2, 3)
    }
    assert asked == [[UUID(int=2)], [UUID(int=1), UUID(int=3)]]


def test_a_message_that_cannot_be_read_is_told_apart_from_the_others() -> None:
    def load(ids: Sequence[UUID]) -> list[StoredMessage]:
        if UUID(int=2) in ids:
            raise zlib.error
        kept = [id for id in ids if id.int != 4]
        return [stored(id.int, b"" if id.int == 3 else body(), "http") for id in kept]

    found = RecentMessages(load, lambda: NOW, 1_000).get(UUID(int=n) for n in range(1, 6))
    assert {id.int: type(one) for id, one in found.items()} == {
        1: Message,
        2: zlib.error,
        3: json.JSONDecodeError,
        4: LookupError,
        5: Message,
    }


def test_every_field_of_subject_text_and_html_needs_a_value() -> None:
    message = parsed(stored(1, body(subject="{{ a }}", text="{{ b }}", html="{{ c }}")), NOW)
    assert message.keys == {"a", "b", "c"}


def test_a_mail_born_by_smtp_has_no_fields_and_is_never_built() -> None:
    message = parsed(stored(1, b"Subject: {{ a }}\r\n\r\n", "smtp"), NOW)
    assert message.keys == frozenset()
    with pytest.raises(ValueError, match="not built"):
        _ = message.skeleton


def test_a_submission_that_is_no_content_is_a_problem() -> None:
    with pytest.raises(Problem):
        parsed(stored(1, body(**{"from": "nobody"})), NOW)
