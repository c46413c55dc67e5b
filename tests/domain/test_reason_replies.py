"""Replies as receiving servers write them, with the reason that each must lead to.

Written after the pages named in `domain/reason_operators.py` and `domain/reason_wordings.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.domain.reason_codes import extract_codes
from tests.domain.told import Event

TABLE = Path(__file__).with_name("replies.txt")
"""A line each: the reason, the recipient's domain, and the reply, with `\\n` between its lines."""


def replies() -> Iterator[tuple[str, str, str]]:
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            reason, domain, reply = line.split(maxsplit=2)
            yield domain, reply.replace("\\n", "\n"), reason


@pytest.mark.parametrize(("domain", "reply", "reason"), list(replies()))
def test_a_reply_leads_to_its_reason(domain: str, reply: str, reason: str) -> None:
    reply_code, enhanced_code = extract_codes(reply)
    type = EventType.DEFERRED if reply.startswith("4") else EventType.BOUNCED
    event = Event(
        type, f"someone@{domain}", "", "", reply_code, enhanced_code, reply, given_up=False
    )
    assert read(event).reason == reason
