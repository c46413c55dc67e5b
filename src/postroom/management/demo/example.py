"""The communication that is sent: `examples/price-change`, as a call by HTTP and mails by SMTP."""

import csv
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from postroom.management.commands.refusal import Refusal

FOLDER = Path(__file__).parents[4] / "examples" / "price-change"
SENDER = "Field Office <prices@corp.example>"
SUBJECT = "New prices from 1 December"

DESKS = (
    ("delivered+desk.north@sim.example", "North"),
    ("open+desk.south@sim.example", "South"),
    ("defer-then-deliver+desk.east@sim.example", "East"),
    ("full+desk.west@sim.example", "West"),
    ("ooto+desk.coast@sim.example", "Coast"),
)
"""The regional offices, whose system knows nothing but SMTP."""


def broadcast(communication: str) -> dict[str, Any]:
    """The body of the one call that writes to everybody in `recipients.csv`."""
    return {
        "from": SENDER,
        "to": list(_recipients()),
        "subject": f"{SUBJECT}: price group {{{{ price_group }}}} for {{{{ territory }}}}",
        "text": _content("notice.txt").decode(),
        "html": _content("notice.html").decode(),
        "attachments": [
            _attachment("logo.png", "image/png") | {"content_id": "logo"},
            _attachment("price-list.csv", "text/csv"),
        ],
        "communication": communication,
        "lane": "bulk",
        "track": {"opens": True, "clicks": True},
    }


def singles(communication: str) -> Iterator[EmailMessage]:
    """The mails to the regional offices."""
    for address, region in DESKS:
        mail = EmailMessage()
        mail["From"] = SENDER
        mail["To"] = address
        mail["Subject"] = f"{SUBJECT}: what your people in {region} were told"
        mail["X-Postroom-Communication"] = communication
        mail.set_content(
            f"The sales force of region {region} got the new price list today. It is attached."
        )
        mail.add_attachment(
            _content("price-list.csv"), maintype="text", subtype="csv", filename="price-list.csv"
        )
        yield mail


def _recipients() -> Iterator[dict[str, Any]]:
    lines = _content("recipients.csv").decode().splitlines()
    for row in csv.DictReader(lines):
        email, name = row.pop("email"), row.pop("name")
        yield {"email": email, "name": name, "ref": row["ref"], "vars": row}


def _attachment(name: str, content_type: str) -> dict[str, str]:
    encoded = b64encode(_content(name)).decode()
    return {"filename": name, "content_type": content_type, "content": encoded}


def _content(name: str) -> bytes:
    try:
        return (FOLDER / name).read_bytes()
    except OSError:
        raise Refusal(
            f"The demo sends {FOLDER / name}, which is not there: run it from a clone."
        ) from None
