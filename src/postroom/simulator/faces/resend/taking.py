"""A mail as it was asked for, as the copies that its recipients get."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.resend.checks import address_of, listed
from postroom.simulator.faces.resend.settings import Settings
from postroom.simulator.http_door import House
from postroom.simulator.links import first_link
from postroom.simulator.truth import digest_of_content, digest_of_rest


def copies_of(mail: Mapping[str, Any], face: str, settings: Settings, house: House) -> list[Copy]:
    """One for each address of To, Cc and Bcc, all under one new id."""
    shared = _content(mail) | {
        "face": face,
        "message_id": str(uuid4()),
        "door": "http",
        "seed": house.seed,
        "silent_share": house.silent_share,
        "track_opens": settings.tracking,
        "track_clicks": settings.tracking,
        **_times(mail),
        **_tags(mail),
    }
    shared["header_message_id"] = f"<{shared['message_id']}@eu-west-1.amazonses.com>"
    people = {name: listed(mail.get(name)) for name in ("to", "cc", "bcc")}
    shared["to"], shared["cc"] = (tuple(map(address_of, people[name])) for name in ("to", "cc"))
    said = {"from": mail["from"], "subject": mail["subject"]}
    everybody = [one for name in people for one in people[name]]
    return [
        Copy(number=number, recipient=address_of(one), more={**said, "named": one}, **shared)
        for number, one in enumerate(everybody)
    ]


def _content(mail: Mapping[str, Any]) -> dict[str, Any]:
    kinds = (("text/plain", "text"), ("text/html", "html"))
    contents = [(kind, mail[name]) for kind, name in kinds if mail.get(name)]
    rest = digest_of_rest(listed(mail.get("attachments")))
    return {
        "sender": address_of(mail["from"]),
        "digest": digest_of_content(mail["subject"], contents, rest),
        "url": first_link([text for _, text in contents]),
    }


def _times(mail: Mapping[str, Any]) -> dict[str, float]:
    now = time.time()
    return {"taken_at": now, "starts_at": max(now, _scheduled_at(mail))}


def _scheduled_at(mail: Mapping[str, Any]) -> float:
    """The moment that was asked for; 0 when none was, or not in ISO 8601."""
    try:
        return datetime.fromisoformat(str(mail.get("scheduled_at") or "")).timestamp()
    except ValueError:
        return 0.0


def _tags(mail: Mapping[str, Any]) -> dict[str, Any]:
    tags = {tag["name"]: tag["value"] for tag in listed(mail.get("tags"))}
    return {"metadata": tags, "handover": tags.get(HANDOVER_KEY)}
