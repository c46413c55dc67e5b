"""`postroom decode`: one line for each fact, and one on standard error for what cannot be read."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from postroom.management import decode

BOUNCE = {
    "event": "bounce",
    "type": "bounce",
    "email": "jo@example.com",
    "timestamp": 1763971263,
    "reason": "550 5.1.1 User unknown",
    "status": "5.1.1",
    "sg_event_id": "e1",
    "sg_message_id": "m1.0",
    "postroom_handover": "019ab3c0-7d10-7abc-8def-0123456789ab",
}


class Decoded:
    """What one run printed."""

    def __init__(
        self, *paths: Path, provider: str = "sendgrid", headers: Path | None = None
    ) -> None:
        out, err = io.StringIO(), io.StringIO()
        given = None if headers is None else str(headers)
        self.status = decode.run(provider, given, [str(path) for path in paths], out, err)
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in out.getvalue().splitlines()]
        self.errors = err.getvalue().splitlines()


def body(folder: Path, name: str, *events: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(events))
    return path


def test_an_event_is_one_object_with_every_key(tmp_path: Path) -> None:
    path = body(tmp_path, "a.json", BOUNCE)
    decoded = Decoded(path)
    assert decoded.status == 0
    assert decoded.rows == [
        {
            "file": str(path),
            "type": "bounced",
            "recipient": "jo@example.com",
            "permanence": "permanent",
            "suppress": "now",
            "reason": "address_unknown",
            "reply_code": 550,
            "enhanced_code": "5.1.1",
            "diagnostic": "550 5.1.1 User unknown",
            "url": None,
            "machine": None,
            "occurred_at": "2025-11-24T08:01:03Z",
            "handover_id": "019ab3c0-7d10-7abc-8def-0123456789ab",
            "provider_message_id": "m1.0",
            "event_id": "e1",
        }
    ]


def test_without_files_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(json.dumps([BOUNCE]).encode()))
    monkeypatch.setattr("sys.stdin", stream)
    decoded = Decoded()
    assert decoded.status == 0
    assert "file" not in decoded.rows[0]
    assert decoded.rows[0]["type"] == "bounced"


def test_what_cannot_be_read_is_one_line_and_the_others_are_read(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(b"\xff[")
    decoded = Decoded(bad, tmp_path / "none.json", body(tmp_path, "good.json", BOUNCE))
    assert decoded.status == 1
    assert len(decoded.errors) == 2
    assert all("Traceback" not in line for line in decoded.errors)
    assert [row["type"] for row in decoded.rows] == ["bounced"]


def test_the_same_fact_told_twice_is_one_line(tmp_path: Path) -> None:
    again = {**BOUNCE, "sg_event_id": "e2"}
    later = {**BOUNCE, "timestamp": 1763971264}
    assert len(Decoded(body(tmp_path, "a.json", BOUNCE, again, later)).rows) == 2


def test_what_says_nothing_about_a_delivery_is_no_line(tmp_path: Path) -> None:
    nothing = [
        {"event": "account_status_change", "type": "compliance_suspend"},
        {"event": "brand_new", "email": "jo@example.com"},
        {"event": "delivered"},
        7,
    ]
    decoded = Decoded(body(tmp_path, "a.json", *nothing))
    assert (decoded.status, decoded.rows) == (0, [])


def test_an_unknown_word_about_a_known_mail_is_a_line(tmp_path: Path) -> None:
    decoded = Decoded(body(tmp_path, "a.json", {"event": "brand_new", "sg_message_id": "m1.0"}))
    assert [row["type"] for row in decoded.rows] == ["unknown"]


def test_headers_are_read_from_their_file(tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.write_text("POST / HTTP/1.1\nContent-Type: application/json\n")
    assert Decoded(body(tmp_path, "a.json", BOUNCE), headers=headers).status == 0
    missing = Decoded(body(tmp_path, "a.json", BOUNCE), headers=tmp_path / "none")
    assert (missing.status, len(missing.errors), missing.rows) == (1, 1, [])


def test_a_provider_that_is_not_known_is_named(tmp_path: Path) -> None:
    decoded = Decoded(body(tmp_path, "a.json", BOUNCE), provider="nobody")
    assert decoded.status == 1
    assert "sendgrid" in decoded.errors[0]


def test_returned_mails_are_decoded_like_notifications(tmp_path: Path) -> None:
    bounce, letter = tmp_path / "bounce.eml", tmp_path / "letter.eml"
    bounce.write_text(
        "From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n"
        "<jo@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n"
    )
    letter.write_text("From: jo@example.com\nSubject: Lunch?\n\nAt noon?\n")
    out, err = io.StringIO(), io.StringIO()
    paths = [str(bounce), str(letter), str(tmp_path / "none.eml")]
    assert decode.run_mails(paths, out, err) == 1
    (row,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (row["file"], row["type"], row["recipient"]) == (paths[0], "bounced", "jo@example.com")
    assert (row["suppress"], row["reason"]) == ("now", "address_unknown")
    assert len(err.getvalue().splitlines()) == 1
