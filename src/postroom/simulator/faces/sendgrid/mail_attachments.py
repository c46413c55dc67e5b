"""What the vendor refuses in the attachments of a Mail Send request."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from typing import Any

from postroom.simulator.faces.sendgrid.flaws import Flaw, wrong_type


def attachment_flaws(attachments: object) -> Iterator[Flaw]:
    """What is wrong with the list of attachments."""
    if not isinstance(attachments, list):
        yield wrong_type("array", attachments, "attachments")
        return
    for number, attachment in enumerate(attachments):
        path = f"attachments.{number}"
        if isinstance(attachment, dict):
            yield from _attachment(attachment, path)
        else:
            yield wrong_type("object", attachment, path)


def _attachment(attachment: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    if not _is_base64(attachment.get("content")):
        yield Flaw("The attachment content must be base64 encoded.", f"{path}.content")
    for name in ("filename", "type", "content_id"):
        value = attachment.get(name)
        if value is None and name != "filename":
            continue
        if not isinstance(value, str) or not value or any(mark in value for mark in "\r\n"):
            yield Flaw(
                f"The attachment {name} must be a string without line ends.", f"{path}.{name}"
            )
    if attachment.get("disposition", "attachment") not in ("attachment", "inline"):
        yield Flaw(
            'The disposition of your attachment can be either "inline" or "attachment".',
            f"{path}.disposition",
        )


def _is_base64(text: object) -> bool:
    if not isinstance(text, str) or not text:
        return False
    try:
        b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return False
    return True
