"""Who submits a broadcast hears what its From domain lacks; nobody else does."""

import json
from typing import Any

import pytest
from django.test import Client

from postroom.ledger import keys, sender_needs
from postroom.ledger.db import connection

pytestmark = pytest.mark.usefixtures("ledger")

LACKS = "example.org: DMARC: To be set: _dmarc.example.org TXT v=DMARC1; p=none"


def notes(of: str = "live", **mail: Any) -> list[str]:
    """Those of the answer to a mail from example.org."""
    key = keys.create_key("shop", of, ["send"], ["example.org"])
    described = {"from": "a@example.org", "to": ["b@example.com"], "subject": "S", "text": "T"}
    answer = Client(headers={"Authorization": f"Bearer {key.key}"}).post(
        "/v1/messages", json.dumps(described | mail), "application/json"
    )
    assert answer.status_code == 202, answer.content
    said: list[str] = answer.json()["notes"]
    return said


@pytest.mark.parametrize("mail", [{"lane": "bulk"}, {"kind": "marketing"}])
def test_a_broadcast_is_told_what_its_from_domain_lacks(mail: dict[str, str]) -> None:
    assert notes(**mail) == []
    sender_needs.keep("example.org", [LACKS])
    assert notes(**mail) == [LACKS]
    sender_needs.keep("example.org", [])
    assert notes(**mail) == []


def test_other_mail_and_simulated_mail_is_not() -> None:
    sender_needs.keep("example.org", [LACKS])
    assert notes() == []
    assert notes("test", lane="bulk") == []


def test_what_was_found_long_ago_is_not_told() -> None:
    sender_needs.keep("example.org", [LACKS])
    with connection() as conn:
        conn.execute("UPDATE sender_need SET looked_at = looked_at - interval '3 days'")
    assert notes(lane="bulk") == []
