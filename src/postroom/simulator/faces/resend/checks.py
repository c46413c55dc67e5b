"""What the vendor refuses in a mail, with its error.

resend.com/docs/api-reference/emails/send-email, .../send-batch-emails and
resend.com/docs/dashboard/emails/tags, read 2026-11-24. Texts are the vendor's where its pages show
them; where they show only the rule, they state it.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Container, Iterator, Mapping
from typing import Any

from postroom.simulator.addresses import is_address, refused_among
from postroom.simulator.faces.resend.errors import Flaw, invalid, missing

RECIPIENTS_MAX = 50
TAGS_MAX = 75
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


def listed(value: object) -> list[Any]:
    """A field that may be one text or an array of them."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def address_of(mailbox: object) -> str:
    """Of `email@example.com` or `Name <email@example.com>`; empty for what is neither."""
    text = mailbox.strip() if isinstance(mailbox, str) else ""
    address = text[:-1].rpartition("<")[2] if text.endswith(">") else text
    return address if is_address(address) else ""


def flaws(mail: object, verified: Container[str] | None, seed: int) -> Iterator[Flaw]:
    """All that is wrong with a mail."""
    if not isinstance(mail, dict):
        yield invalid("The request body must be an object.")
        return
    yield from _sender(mail.get("from"), verified)
    yield from _people(mail, seed)
    yield from _texts(mail)
    yield from _headers(mail.get("headers"))
    yield from _tags(mail.get("tags"))
    yield from _attachments(mail.get("attachments"))


def batch_flaws(mail: object, verified: Container[str] | None, seed: int) -> Iterator[Flaw]:
    """All that is wrong with a mail of a batch."""
    yield from flaws(mail, verified, seed)
    if isinstance(mail, dict):
        for field in ("attachments", "scheduled_at"):
            if mail.get(field):
                yield invalid(f"The `{field}` field is not supported in a batch.")


def _sender(sender: object, verified: Container[str] | None) -> Iterator[Flaw]:
    if not sender:
        yield missing("from")
        return
    address = address_of(sender)
    domain = address.rpartition("@")[2]
    if not address:
        yield Flaw(422, "invalid_from_address", _form("from"))
    elif verified is not None and domain not in verified:
        yield Flaw(
            403,
            "validation_error",
            f"The {domain} domain is not verified. Please, add and verify your domain.",
        )


def _people(mail: Mapping[str, Any], seed: int) -> Iterator[Flaw]:
    if not mail.get("to"):
        yield missing("to")
    for field in ("to", "cc", "bcc", "reply_to"):
        addresses = [address_of(each) for each in listed(mail.get(field))]
        if not all(addresses) or refused_among(addresses, seed):
            yield invalid(_form(field))
        if len(addresses) > RECIPIENTS_MAX:
            yield invalid(f"The `{field}` field has at most {RECIPIENTS_MAX} addresses.")


def _form(field: str) -> str:
    return (
        f"Invalid `{field}` field. The email address needs to follow the `email@example.com` or"
        " `Name <email@example.com>` format."
    )


def _texts(mail: Mapping[str, Any]) -> Iterator[Flaw]:
    if not mail.get("subject"):
        yield missing("subject")
    for field in ("subject", "html", "text"):
        if not isinstance(mail.get(field), str | None):
            yield invalid(f"The `{field}` field must be a `string`.")
    if not mail.get("html") and not mail.get("text"):
        yield Flaw(422, "missing_required_field", "Missing `html` or `text` field.")


def _headers(headers: object) -> Iterator[Flaw]:
    if headers is None:
        return
    if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
        yield invalid("The `headers` field must be an object of strings.")


def _tags(tags: object) -> Iterator[Flaw]:
    found = listed(tags)
    if len(found) > TAGS_MAX:
        yield invalid(f"A mail has at most {TAGS_MAX} tags.")
    for tag in found:
        pair = [tag.get("name"), tag.get("value")] if isinstance(tag, dict) else [None]
        if not all(isinstance(each, str) and _TAG.fullmatch(each) for each in pair):
            yield invalid(
                "Tags should only contain ASCII letters, numbers, underscores, or dashes."
            )


def _attachments(attachments: object) -> Iterator[Flaw]:
    for each in listed(attachments):
        content = each.get("content") if isinstance(each, dict) else None
        if not isinstance(each, dict) or not (content or each.get("path")):
            yield Flaw(
                422, "invalid_attachment", "Attachment must have either a `content` or `path`."
            )
        elif content is not None and not _is_base64(content):
            yield Flaw(422, "invalid_attachment", "The `content` of an attachment is base64.")


def _is_base64(content: object) -> bool:
    try:
        b64decode(content, validate=True)  # type: ignore[arg-type]  # another type is caught
    except (NotBase64, ValueError, TypeError):
        return False
    return True
