"""The bodies that Mailgun posts: one JSON object, or a form of the webhooks before 2018.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks, read 2026-11-24. The forms
(URL-encoded, or multipart where a mail is attached) have flat fields under names of their own;
they are brought into the shape of `event-data`, so that one reader serves both.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from postroom.providers import told
from postroom.providers.base import Unreadable
from postroom.providers.json_events import value

_FIELDS_MAX = 1_000
_PART_HEAD_BYTES_MAX = 4_096
_NAME = re.compile(rb'[; ]name="([^"\r\n]{1,200})"')

LEGACY_FAILURES = frozenset({"bounced", "dropped"})
"""What the forms call a failure for good."""


@dataclass(frozen=True, slots=True)
class Post:
    """One notification, taken apart."""

    signature: told.Fields
    """`timestamp`, `token` and `signature`."""
    event: told.Fields
    """The `event-data`."""


def post_of(body: bytes) -> Post:
    """The notification that the bytes are; raises Unreadable when they are none."""
    fields = _fields(body)
    event = fields.get("event-data")
    if isinstance(event, dict):
        signature = fields.get("signature")
        return Post(signature if isinstance(signature, dict) else {}, event)
    if not isinstance(fields.get("event"), str):
        raise Unreadable("the body holds no event of Mailgun")
    return Post(fields, _modern(fields))


def _fields(body: bytes) -> Mapping[str, Any]:
    start = body[:64].lstrip()
    if start.startswith(b"--"):
        return _first_of_each(_parts(body))
    if start.startswith((b"{", b"[", b"\xef\xbb\xbf")):
        found = value(body)
        if isinstance(found, dict):
            return found
        raise Unreadable("the body is no JSON object")
    try:
        return _first_of_each(parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS_MAX))
    except ValueError as error:
        raise Unreadable("the body is neither JSON nor a form") from error


def _first_of_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, text in pairs:
        fields.setdefault(name, text)
    return fields


def _parts(body: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a multipart form, files apart (RFC 7578); its first line is the boundary."""
    boundary = body.lstrip().partition(b"\n")[0].strip()
    for part in body.split(boundary, _FIELDS_MAX)[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head[:_PART_HEAD_BYTES_MAX])
        if name and b"filename" not in head[:_PART_HEAD_BYTES_MAX]:
            text = content.removesuffix(b"\r\n").decode("utf-8", "replace")
            yield name[1].decode("utf-8", "replace"), text


def _modern(fields: told.Fields) -> dict[str, Any]:
    """The flat fields in the shape of `event-data`."""
    name = fields["event"]
    failed = name in LEGACY_FAILURES
    return {
        "event": "failed" if failed else name,
        "severity": "permanent" if failed else None,
        "id": fields.get("token"),
        "timestamp": fields.get("timestamp"),
        "recipient": fields.get("recipient"),
        "reason": fields.get("reason"),
        "url": fields.get("url"),
        "delivery-status": {
            "code": fields.get("code"),
            "message": fields.get("error"),
            "description": fields.get("description"),
        },
        "message": {
            "headers": {"message-id": fields.get("Message-Id") or fields.get("message-id")}
        },
        "client-info": {"user-agent": fields.get("user-agent")},
        "user-variables": fields,
    }
