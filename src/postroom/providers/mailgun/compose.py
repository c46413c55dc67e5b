"""Mailgun's form: a mail and its copies as calls of `POST /v3/<domain>/messages`.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages and
.../user-manual/sending-messages/batch-sending, read 2026-11-24. `recipient-variables` are always
given: without them all recipients would see each other. A value is never filled in again, for its
variable's name holds a token that occurs nowhere else; text and HTML have variables of their own,
because only those of the HTML are escaped.
"""

import html
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted

from postroom.domain.address import format_mailbox, parse_address
from postroom.domain.content import Attachment, Content
from postroom.domain.template import MissingField, Template, parse
from postroom.providers.base import CannotCarry, Copy
from postroom.providers.frames import Frame, Gap, Limits, frame_of
from postroom.providers.json_mail import (
    check_attachment,
    check_headers,
    check_people,
    header_fields,
    one_line,
)
from postroom.providers.mailgun import form
from postroom.providers.mailgun.events import HANDOVER_VARIABLE

API = "Mailgun's form"

LIMITS = Limits(copies=1_000, bytes=25_000_000)
"""Recipients of one call, and the vendor's "25 MB", read in the stricter way."""

RESERVED = frozenset({
    "from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "date",
    "message-id", "mime-version", "received", "dkim-signature", "x-mailgun-",
})  # fmt: skip
"""Written by the vendor or by us, or orders to it."""

_FILLED_IN = re.compile(r"%(?:recipient|unsubscribe|tag_unsubscribe|mailing_list)", re.IGNORECASE)
"""How everything begins that Mailgun replaces wherever it stands in a mail."""

Escape = Callable[[str], str] | None


@dataclass(frozen=True, slots=True)
class _Variable:
    """One field of one text, as Mailgun knows it."""

    key: str
    escape: Escape
    name: str


def new_token() -> str:
    """A token that occurs in no mail; 32 characters."""
    return secrets.token_hex(16)


def frame(content: Content, new_token: Callable[[], str] = new_token) -> Frame:
    """The frame of a mail; raises CannotCarry when Mailgun's form cannot say it as it is."""
    _check(content)
    token = new_token()
    variables: list[_Variable] = []
    texts = [
        (name, _tagged(parse(text), escape, token, variables))
        for name, text, escape in (
            ("subject", one_line(content.subject), one_line),
            ("text", content.text, None),
            ("html", content.html, html.escape),
        )
        if text
    ]
    own = _own(f"{token}id", variables)
    return frame_of(content, _opening(token), [own], _rest(content, token, texts))


def _tagged(template: Template, escape: Escape, token: str, variables: list[_Variable]) -> str:
    """The text with its variables in place, which are noted."""
    names = {
        key: f"{token}{number}" for number, key in enumerate(sorted(template.keys), len(variables))
    }
    variables += [_Variable(key, escape, name) for key, name in names.items()]
    return template.with_tags(lambda key: f"%recipient.{names[key]}%")


def _opening(token: str) -> Callable[[Sequence[Copy]], bytes]:
    def opening(copies: Sequence[Copy]) -> bytes:
        to = form.fields(token, (("to", _mailbox(copy.recipient, copy.name)) for copy in copies))
        return to + form.field_opening(token, "recipient-variables") + b"{"

    return opening


def _mailbox(email: str, name: str | None) -> str:
    return format_mailbox(name and one_line(name), parse_address(email))


def _own(id_name: str, variables: Sequence[_Variable]) -> Gap:
    """The variables of a copy under its address."""

    def own(copy: Copy) -> bytes:
        values = {id_name: str(copy.handover_id)}
        for variable in variables:
            values[variable.name] = _value(variable, copy)
        address = parse_address(copy.recipient).spec
        return f"{quoted(address)}:{json.dumps(values, separators=(',', ':'))}".encode("ascii")

    return own


def _value(variable: _Variable, copy: Copy) -> str:
    if variable.key not in copy.vars:
        raise MissingField(variable.key)
    value = copy.vars[variable.key]
    check_filled_in(value)
    return variable.escape(value) if variable.escape else value


def check_filled_in(text: str) -> None:
    """Nothing; raises CannotCarry for a text in which Mailgun would find its own variables."""
    if "%" in text and _FILLED_IN.search(text):
        raise CannotCarry("Mailgun would fill in what stands between percent signs")


def _rest(content: Content, token: str, texts: Sequence[tuple[str, str]]) -> bytes:
    """What follows the variables: all that is the same for everybody."""
    named = [
        ("from", _mailbox(content.sender.email, content.sender.name)),
        (f"v:{HANDOVER_VARIABLE}", f"%recipient.{token}id%"),
        *texts,
        *options(content.track_opens, content.track_clicks),
        *((f"h:{name}", value) for name, value in header_fields(content).items()),
    ]
    if content.reply_to:
        named.append(("h:Reply-To", ", ".join(_mailbox(b.email, b.name) for b in content.reply_to)))
    files = [
        form.file(token, "inline" if _is_inline(content, each) else "attachment", each)
        for each in content.attachments
    ]
    return b"}\r\n" + form.fields(token, named) + b"".join(files) + form.closing(token)


def options(track_opens: bool, track_clicks: bool) -> list[tuple[str, str]]:
    """Always said, whatever the domain's own settings are: nothing is tracked unasked."""
    return [
        ("o:tracking", "yes" if track_opens or track_clicks else "no"),
        ("o:tracking-opens", "yes" if track_opens else "no"),
        ("o:tracking-clicks", "htmlonly" if track_clicks else "no"),
    ]


def _is_inline(content: Content, attachment: Attachment) -> bool:
    return bool(attachment.content_id and content.html)


def _check(content: Content) -> None:
    """Nothing; raises CannotCarry for what Mailgun's form cannot say."""
    check_people(content, API)
    check_headers(content, API, RESERVED)
    if not content.text and not content.html:
        raise CannotCarry(f"{API} takes no mail without a text")
    literals = [content.subject, content.text or "", content.html or ""]
    for text in [*literals, *(value for _, value in content.headers)]:
        check_filled_in(text)
    for attachment in content.attachments:
        check_attachment(attachment, API)
        if _is_inline(content, attachment) and attachment.content_id != attachment.filename:
            raise CannotCarry(f"{API} knows an inline image by its file name alone")
