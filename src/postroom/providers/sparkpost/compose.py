"""SparkPost's JSON: a mail and its copies as calls of `POST /api/v1/transmissions`.

https://developers.sparkpost.com/api/transmissions, .../api/recipient-lists and
.../api/template-language, read 2026-11-24. The content is one template for all; a recipient has
data for it. The service evaluates what stands between braces in the content, and never what stands
in the data. So everything of ours is data: values under names that we make, escaped by us and
written out as they are (three braces), and every pair of braces that the mail itself has. A mail
without fields goes with substitutions switched off.
"""

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import MissingField, Template, parse
from postroom.providers.base import CannotCarry, Copy
from postroom.providers.frames import Frame, Limits, frame_of
from postroom.providers.json_mail import (
    check_attachment,
    check_headers,
    check_people,
    header_fields,
    mailbox_text,
    one_line,
)
from postroom.providers.sparkpost.events import HANDOVER_KEY

Escape = Callable[[str], str] | None

API = "SparkPost's JSON"

LIMITS = Limits(copies=2_000, bytes=50_000_000)
"""Recipients and bytes of one call that the vendor recommends; it would take more."""

CONTENT_BYTES_MAX = 20_000_000
"""Of texts and attachments: the vendor's "20 MB", read in the stricter way."""

DATA_BYTES_MAX = 100_000
"""Of the data of one recipient: the vendor's "100KB"."""

RESERVED = frozenset({
    "from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "date",
    "message-id", "mime-version", "received", "dkim-signature", "x-msys-",
})  # fmt: skip
"""Fields of their own, written by the vendor whatever we say, or orders to it."""

_BRACES = re.compile(r"\A[{}]+|[{}]{2,}|[{}]+\Z")
"""In a literal text, what is an expression's mark, or becomes one beside a field."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """One field of one text, as SparkPost knows it."""

    key: str
    escape: Escape
    name: str


@dataclass(slots=True)
class _Data:
    """What the content refers to."""

    variables: list[_Variable] = field(default_factory=list)
    braces: dict[str, str] = field(default_factory=dict)
    """Runs of braces that the mail itself has, and their names."""


def frame(content: Content) -> Frame:
    """The frame of a mail; raises CannotCarry when SparkPost's JSON cannot say it as it is."""
    _check(content)
    data = _Data()
    templates = [
        (name, parse(text), escape)
        for name, text, escape in (
            ("subject", one_line(content.subject), one_line),
            ("text", content.text, None),
            ("html", content.html, html.escape),
        )
        if text is not None
    ]
    if any(template.keys for _, template, _ in templates):
        _check_unseen(content)
        texts = {name: _tagged(template, escape, data) for name, template, escape in templates}
    else:
        texts = {name: template.render({}) for name, template, _ in templates}
    rest = _rest(content, texts, data)
    if len(rest) > CONTENT_BYTES_MAX:
        raise CannotCarry(f"the mail is larger than the {CONTENT_BYTES_MAX} bytes of a content")
    return frame_of(content, _opening, [_own(data.variables)], rest)


def _tagged(template: Template, escape: Escape, data: _Data) -> str:
    """The text with its variables in place, which are noted."""
    names = {
        key: f"v{number}" for number, key in enumerate(sorted(template.keys), len(data.variables))
    }
    data.variables += [_Variable(key, escape, name) for key, name in names.items()]
    return "".join(
        _without_braces(segment, data.braces)
        if isinstance(segment, str)
        else _expression(names[segment.key])
        for segment in template.segments
    )


def _without_braces(literal: str, braces: dict[str, str]) -> str:
    return _BRACES.sub(
        lambda run: _expression(braces.setdefault(run[0], f"b{len(braces)}")), literal
    )


def _expression(name: str) -> str:
    """The value as it is: neither HTML nor a URL is made of it."""
    return f"{{{{{{{name}}}}}}}"


def _opening(_copies: Sequence[Copy]) -> bytes:
    return b'{"recipients":['


def _own(variables: Sequence[_Variable]) -> Callable[[Copy], bytes]:
    """A recipient with its id and its data."""

    def own(copy: Copy) -> bytes:
        told: dict[str, object] = {
            "address": _address(copy, filled_in=bool(variables)),
            "metadata": {HANDOVER_KEY: str(copy.handover_id)},
        }
        if variables:
            told["substitution_data"] = {each.name: _value(each, copy) for each in variables}
        written = json.dumps(told, separators=(",", ":")).encode("ascii")
        if len(written) > DATA_BYTES_MAX:
            raise CannotCarry(f"{API} takes {DATA_BYTES_MAX} bytes of values for a recipient")
        return written

    return own


def _address(copy: Copy, filled_in: bool) -> dict[str, str]:
    if not copy.name:
        return {"email": copy.recipient}
    if filled_in:
        _check_no_expression(copy.name)
    return {"email": copy.recipient, "name": one_line(copy.name)}


def _value(variable: _Variable, copy: Copy) -> str:
    if variable.key not in copy.vars:
        raise MissingField(variable.key)
    value = copy.vars[variable.key]
    return variable.escape(value) if variable.escape else value


def _rest(content: Content, texts: dict[str, str], data: _Data) -> bytes:
    """What follows the recipients: all that is the same for everybody."""
    told: dict[str, object] = {
        "options": options(content.track_opens, content.track_clicks, bool(data.variables)),
        "content": _content(content, texts),
    }
    if data.braces:
        told["substitution_data"] = {name: run for run, name in data.braces.items()}
    return b"]," + json.dumps(told, separators=(",", ":"))[1:].encode("ascii")


def options(track_opens: bool, track_clicks: bool, fill_in: bool) -> dict[str, bool]:
    """Always said, whatever the account is set to: nothing is tracked, added or filled in unasked.

    `transactional` keeps the service from adding a header to unsubscribe by.
    """
    return {
        "open_tracking": track_opens,
        "initial_open": track_opens,
        "click_tracking": track_clicks,
        "transactional": True,
        "inline_css": False,
        "perform_substitutions": fill_in,
    }


def _content(content: Content, texts: dict[str, str]) -> dict[str, object]:
    told: dict[str, object] = {
        "from": _person(content.sender),
        "headers": header_fields(content),
        **{name: text for name, text in texts.items() if text or name == "subject"},
    }
    if content.reply_to:
        told["reply_to"] = mailbox_text(content.reply_to[0])
    inline = [each for each in content.attachments if each.content_id and content.html]
    files = [each for each in content.attachments if each not in inline]
    if files:
        told["attachments"] = [_attachment(each, each.filename) for each in files]
    if inline:
        told["inline_images"] = [_attachment(each, str(each.content_id)) for each in inline]
    return told


def _person(mailbox: Mailbox) -> dict[str, str]:
    if not mailbox.name:
        return {"email": mailbox.email}
    return {"email": mailbox.email, "name": one_line(mailbox.name)}


def _attachment(attachment: Attachment, name: str) -> dict[str, str]:
    data = b64encode(attachment.content).decode("ascii")
    return {"name": name, "type": attachment.content_type, "data": data}


def _check(content: Content) -> None:
    """Nothing; raises CannotCarry for what SparkPost's JSON cannot say."""
    check_people(content, API)
    check_headers(content, API, RESERVED)
    if not content.text and not content.html:
        raise CannotCarry(f"{API} takes no mail without a text")
    if len(content.reply_to) > 1:
        raise CannotCarry(f"{API} takes one address to reply to")
    for attachment in content.attachments:
        check_attachment(attachment, API)
        if attachment.content_id and content.html:
            _check_inline(attachment)


def _check_inline(attachment: Attachment) -> None:
    """An inline image has one name for its header and its file."""
    if attachment.content_id != attachment.filename:
        raise CannotCarry(f"{API} knows an inline image by its file name alone")


def _check_unseen(content: Content) -> None:
    """Nothing; raises CannotCarry where an expression stands in what is no text."""
    names = [box.name or "" for box in (content.sender, *content.reply_to)]
    for text in (*names, *(value for _, value in content.headers)):
        _check_no_expression(text)


def _check_no_expression(text: str) -> None:
    if "{{" in text or "}}" in text:
        raise CannotCarry(f"{API} would fill in braces that stand in a header")
