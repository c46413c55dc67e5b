"""What the vendor refuses in a Mail Send request, and in what words.

twilio.com/docs/sendgrid/api-reference/mail-send (body, errors, limitations), read 2026-11-24.
Messages are the vendor's where its pages or published answers show them; where they show only
the rule, the message states the rule. Fields that the reference does not name are ignored, as
the vendor does.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from postroom.simulator.addresses import is_address
from postroom.simulator.faces.sendgrid.flaws import Flaw, wrong_type
from postroom.simulator.faces.sendgrid.mail_attachments import attachment_flaws
from postroom.simulator.faces.sendgrid.mail_people import (
    people_flaws,
    person_flaws,
    recipient_flaws,
)

PERSONALIZATIONS_MAX = 1000
SUBSTITUTION_BYTES_MAX = 10_000
ARGS_BYTES_MAX = 10_000
CATEGORIES_MAX = 10
CATEGORY_LENGTH_MAX = 255
REPLY_TO_LIST_MAX = 1000

RESERVED_HEADERS = frozenset({
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type",
    "content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc",
})  # fmt: skip

Object = Mapping[str, Any]


def request_flaws(payload: object, verified_domains: Iterable[str] | None) -> list[Flaw]:
    """Everything wrong with the request; empty when it is taken.

    `verified_domains`: From domains of the account; None when every domain may send.
    """
    if not isinstance(payload, dict):
        return [wrong_type("object", payload, None)]
    found = [
        *_personalizations(payload),
        *_sender(payload, verified_domains),
        *_reply_to(payload),
        *_subject(payload),
        *_content(payload),
        *attachment_flaws(payload.get("attachments", [])),
        *_texts(payload, "headers", ""),
        *_reserved(payload, ""),
        *_texts(payload, "custom_args", ""),
        *_categories(payload.get("categories", [])),
        *_settings(payload),
    ]
    return found or list(_args_size(payload))


def _personalizations(payload: Object) -> Iterator[Flaw]:
    blocks = payload.get("personalizations")
    if not isinstance(blocks, list) or not blocks:
        yield Flaw(
            "The personalizations field is required and must have at least one personalization.",
            "personalizations",
        )
        return
    if len(blocks) > PERSONALIZATIONS_MAX:
        yield Flaw(
            "The personalization block is limited to 1000 personalizations per API request."
            f" You have provided {len(blocks)} personalizations.",
            "personalizations",
        )
        return
    for number, block in enumerate(blocks):
        if isinstance(block, dict):
            yield from _personalization(block, f"personalizations.{number}")
        else:
            yield wrong_type("object", block, f"personalizations.{number}")
    yield from recipient_flaws(blocks)


def _personalization(block: Object, path: str) -> Iterator[Flaw]:
    if not isinstance(block.get("to"), list) or not block["to"]:
        yield Flaw(
            "The to array is required for all personalization objects, and must have at least"
            " one email object with a valid email address.",
            f"{path}.to",
        )
    for name in ("to", "cc", "bcc"):
        if name in block:
            yield from people_flaws(block[name], f"{path}.{name}")
    if "subject" in block and not (isinstance(block["subject"], str) and block["subject"]):
        yield Flaw("The subject must be a string at least one character long.", f"{path}.subject")
    yield from _texts(block, "substitutions", f"{path}.")
    yield from _texts(block, "custom_args", f"{path}.")
    yield from _texts(block, "headers", f"{path}.")
    yield from _reserved(block, f"{path}.")
    yield from _send_at(block, f"{path}.")
    if _size(block.get("substitutions")) > SUBSTITUTION_BYTES_MAX:
        yield Flaw(
            "The total size of the substitutions must not exceed 10000 bytes.",
            f"{path}.substitutions",
        )


def _sender(payload: Object, verified_domains: Iterable[str] | None) -> Iterator[Flaw]:
    sender = payload.get("from")
    if not isinstance(sender, dict) or "email" not in sender:
        yield Flaw("The from object must be provided for every email send.", "from.email")
    elif not is_address(sender["email"]):
        yield Flaw("The from email does not contain a valid address.", "from.email")
    elif verified_domains is not None:
        domain = sender["email"].rpartition("@")[2].lower()
        if domain not in {each.lower() for each in verified_domains}:
            yield Flaw(
                "The from address does not match a verified Sender Identity. Mail cannot be sent"
                " until this error is resolved. Visit"
                " https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see"
                " the Sender Identity requirements",
                "from",
                403,
            )


def _reply_to(payload: Object) -> Iterator[Flaw]:
    if "reply_to" in payload and "reply_to_list" in payload:
        yield Flaw("Only one of reply_to and reply_to_list may be used.", "reply_to_list")
    if "reply_to" in payload:
        yield from person_flaws(payload["reply_to"], "reply_to")
    people = payload.get("reply_to_list", [])
    yield from people_flaws(people, "reply_to_list")
    if isinstance(people, list) and len(people) > REPLY_TO_LIST_MAX:
        yield Flaw("There is a limit of 1000 emails in the reply_to_list.", "reply_to_list")


def _subject(payload: Object) -> Iterator[Flaw]:
    blocks = payload.get("personalizations")
    own = [
        isinstance(block, dict) and block.get("subject")
        for block in (blocks if isinstance(blocks, list) else [])
    ]
    subject = payload.get("subject")
    if subject is not None and not isinstance(subject, str):
        yield wrong_type("string", subject, "subject")
    elif not subject and not (own and all(own)):
        yield Flaw(
            "The subject is required. You can get around this requirement if you use a template"
            " with a subject defined or if every personalization has a subject defined.",
            "subject",
        )


def _content(payload: Object) -> Iterator[Flaw]:
    """The simulator keeps no templates, so content is always required."""
    if payload.get("template_id"):
        yield Flaw("The template_id must be the id of a template of this account.", "template_id")
    parts = payload.get("content")
    if not isinstance(parts, list) or not parts:
        yield Flaw(
            "Unless a valid template_id is provided, the content parameter is required. There"
            " must be at least one defined content block.",
            "content",
        )
        return
    for number, part in enumerate(parts):
        yield from _content_part(part, f"content.{number}")
    types = [part.get("type") if isinstance(part, dict) else None for part in parts]
    order = {"text/plain": 0, "text/html": 1}
    places = [order.get(str(kind), 2) for kind in types]
    if places != sorted(places):
        yield Flaw(
            "If present, text/plain must be first, followed by text/html, followed by any other"
            " content.",
            "content",
        )


def _content_part(part: object, path: str) -> Iterator[Flaw]:
    if not isinstance(part, dict):
        yield wrong_type("object", part, path)
        return
    kind, value = part.get("type"), part.get("value")
    if not isinstance(kind, str) or not kind or any(mark in kind for mark in ";,\r\n"):
        yield Flaw(
            "The content type must be a string without ; and , and line ends.", f"{path}.type"
        )
    if not isinstance(value, str) or not value:
        yield Flaw(
            "The content value must be a string at least one character in length.", f"{path}.value"
        )


def _texts(holder: Object, name: str, path: str) -> Iterator[Flaw]:
    """An object whose values are strings."""
    if name not in holder:
        return
    values = holder[name]
    if not isinstance(values, dict):
        yield wrong_type("object", values, path + name)
        return
    for key, value in values.items():
        if not isinstance(value, str):
            yield wrong_type("string", value, f"{path}{name}.{key}")


def _reserved(holder: Object, path: str) -> Iterator[Flaw]:
    headers = holder.get("headers")
    if not headers or not isinstance(headers, dict):
        return
    for name, value in headers.items():
        if name.lower() in RESERVED_HEADERS:
            yield Flaw(f"The header {name} is reserved and cannot be set.", f"{path}headers.{name}")
        elif not name.isascii() or any(mark in f"{name}{value}" for mark in "\r\n"):
            yield Flaw(
                "Header names are ASCII, and neither names nor values hold line ends.",
                f"{path}headers.{name}",
            )


def _categories(categories: object) -> Iterator[Flaw]:
    if not isinstance(categories, list) or not all(isinstance(each, str) for each in categories):
        yield wrong_type("array of strings", categories, "categories")
    elif len(categories) > CATEGORIES_MAX:
        yield Flaw("There is a limit of 10 categories per request.", "categories")
    elif any(len(each) > CATEGORY_LENGTH_MAX for each in categories):
        yield Flaw("A category must not be longer than 255 characters.", "categories")
    elif len(set(categories)) != len(categories):
        yield Flaw("The categories must be unique.", "categories")


def _settings(payload: Object) -> Iterator[Flaw]:
    for name in ("mail_settings", "tracking_settings"):
        settings = payload.get(name, {})
        if not isinstance(settings, dict):
            yield wrong_type("object", settings, name)
            continue
        for key, value in settings.items():
            if not isinstance(value, dict):
                yield wrong_type("object", value, f"{name}.{key}")
    yield from _send_at(payload, "")


def _send_at(holder: Object, path: str) -> Iterator[Flaw]:
    if not isinstance(holder.get("send_at", 0), int):
        yield wrong_type("integer", holder["send_at"], f"{path}send_at")


def _size(values: object) -> int:
    if not values or not isinstance(values, dict):
        return 0
    joined = "".join(f"{key}{value}" for key, value in values.items())
    return len(joined) if joined.isascii() else len(joined.encode(errors="surrogatepass"))


def _args_size(payload: Object) -> Iterator[Flaw]:
    """Message-level and personal arguments are merged before they are measured."""
    shared = _size(payload.get("custom_args"))
    for number, block in enumerate(payload["personalizations"]):
        if shared + _size(block.get("custom_args")) >= ARGS_BYTES_MAX:
            yield Flaw(
                "The total size of the custom args must be less than 10000 bytes.",
                f"personalizations.{number}.custom_args",
            )
