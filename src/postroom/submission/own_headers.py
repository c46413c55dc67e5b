"""`X-Postroom-...` header fields: how a mail that comes by SMTP asks for what HTTP has fields for.

They stay in what is stored and are removed before hand-over.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from postroom.domain import encoded_word
from postroom.domain.characters import first_control
from postroom.domain.communication import communication_name
from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind
from postroom.domain.problem import invalid_field
from postroom.submission.fields import (
    IDEMPOTENCY_KEY,
    METADATA_KEYS_MAX,
    REF_CHARS_MAX,
    TAG_CHARS_MAX,
    TAGS_MAX,
    instant,
    notify_url,
)
from postroom.submission.mail_headers import Headers

PREFIX = "x-postroom-"
CARRIED = frozenset({"x-postroom-handover"})
"""Written by us on the way out: a mail that comes back into the house may carry it."""


def read_own_headers(headers: Headers) -> dict[str, Any]:
    """What the fields ask for, under the names that `Submission` and `Recipient` use.

    Raises Problem for a field that is unknown, given twice, or not valid: a wish that is not
    understood is never passed over.
    """
    asked: dict[str, Any] = {}
    for name, value in headers.fields:
        if name.startswith(PREFIX) and name not in CARRIED:
            shown = name.title()
            if name not in READERS:
                raise invalid_field(shown, "is no header that Postroom knows")
            target, reader = READERS[name]
            if target in asked:
                raise invalid_field(shown, "is given twice")
            try:
                asked[target] = reader(_checked(value))
            except ValueError as error:
                raise invalid_field(shown, str(error)) from error
    return asked


def _checked(value: str) -> str:
    text = encoded_word.decode(value)
    if first_control(text):
        raise ValueError("holds a line break or control character")
    return text


def _matching(pattern: str | re.Pattern[str], wanted: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"is not {wanted}")
        return text

    return read


def _lane(text: str) -> Lane:
    return Lane.of_label(text.lower())


def _kind(text: str) -> MailKind:
    return MailKind.of_label(text.lower())


def _yes(text: str) -> bool:
    if text.lower() != "yes":
        raise ValueError("is not yes; leave it out where it is not meant")
    return True


def _track(text: str) -> frozenset[str]:
    """Checked only: composition reads it from the stored mail."""
    wishes = frozenset(word.strip().lower() for word in text.split(",") if word.strip())
    if not wishes or not wishes <= {"opens", "clicks", "none"} or wishes > {"none"}:
        raise ValueError("is none, or opens, clicks or both with a comma between")
    return wishes


def _tags(text: str) -> list[str]:
    tags = [tag.strip() for tag in text.split(",") if tag.strip()]
    if len(tags) > TAGS_MAX or any(len(tag) > TAG_CHARS_MAX for tag in tags):
        raise ValueError(f"has more than {TAGS_MAX} tags, or one over {TAG_CHARS_MAX} characters")
    return tags


def _metadata(text: str) -> dict[str, str]:
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict) or len(metadata) > METADATA_KEYS_MAX:
        raise ValueError(f"is no JSON object of at most {METADATA_KEYS_MAX} texts")
    for word in (*metadata, *metadata.values()):
        if not isinstance(word, str) or first_control(word):
            raise ValueError("is no JSON object of plain texts")
    return metadata


def _notify(text: str) -> dict[str, str]:
    return {"url": notify_url(text)}


READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "x-postroom-communication": ("communication", communication_name),
    "x-postroom-lane": ("lane", _lane),
    "x-postroom-kind": ("kind", _kind),
    "x-postroom-critical": ("critical", _yes),
    "x-postroom-send-at": ("send_at", instant),
    "x-postroom-track": ("track", _track),
    "x-postroom-tags": ("tags", _tags),
    "x-postroom-metadata": ("metadata", _metadata),
    "x-postroom-ref": (
        "ref",
        _matching(rf".{{1,{REF_CHARS_MAX}}}", f"1 to {REF_CHARS_MAX} characters"),
    ),
    "x-postroom-idempotency-key": (
        "idempotency_key",
        _matching(IDEMPOTENCY_KEY, "1 to 255 printable ASCII characters"),
    ),
    "x-postroom-notify": ("notify", _notify),
}
"""Every field that is known: what it says, under which name, and how it is read."""
