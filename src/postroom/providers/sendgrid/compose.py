"""SendGrid's JSON: a mail and its copies as calls of `POST /v3/mail/send`.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, its "Errors" and
"Personalizations", and "Substitution Tags"; read 2026-11-24. A substituted value is looked at
again there (tags in values are replaced, four levels deep), and one value serves text and HTML
alike. So every field gets two tags, plain and escaped, with a delimiter that occurs nowhere else.
"""

import html
import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import MissingField, Template, parse
from postroom.providers.base import Call, CannotCarry, Copy, Stored
from postroom.providers.json_mail import (
    check_attachment,
    check_headers,
    check_people,
    header_fields,
    one_line,
)

API = "SendGrid's JSON"

HANDOVER_ARG = "postroom_handover"
"""The custom argument that comes back in every event."""

RECIPIENTS_MAX = 1_000
"""Personalizations, and recipients in all, of one call."""

SUBSTITUTION_BYTES_MAX = 9_000
"""The vendor refuses 10,000; above this a recipient goes in a call of his own, rendered by us."""

CALL_BYTES_MAX = 30_000_000
"""The vendor's "30 MB", read in the stricter way."""

_RESERVED = frozenset({
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "to", "from", "subject", "reply-to", "cc",
    "bcc", "date", "message-id", "mime-version", "return-path", "sender",
})  # fmt: skip
"""Refused by the vendor, or written by it whatever we say."""

Escape = Callable[[str], str] | None


@dataclass(frozen=True, slots=True)
class _Body:
    """One form of the text."""

    media_type: str
    template: Template
    escape: Escape


@dataclass(frozen=True, slots=True)
class _Tag:
    """One field of one form of the text, as SendGrid knows it."""

    key: str
    escape: Escape
    name: str
    opening: str
    """The quoted name and the colon, as they stand in every personalization."""


@dataclass(frozen=True)
class Frame:
    """What all copies of one mail share, built once; `frame_of` makes it."""

    content: Content
    subject: Template
    bodies: tuple[_Body, ...]
    delimiter: str
    tags: tuple[_Tag, ...]
    blob: bytes
    """Subject and bodies with tags in place, then the rest."""
    rest_start: int
    digest: bytes


def frame_of(content: Content, new_delimiter: Callable[[], str]) -> Frame:
    """The frame of a mail; raises CannotCarry when SendGrid's JSON cannot say it as it is."""
    _check(content)
    subject = parse(content.subject)
    bodies = tuple(_bodies(content))
    if not bodies:
        raise CannotCarry("SendGrid takes no mail without a text")
    delimiter = new_delimiter()
    while any(delimiter in text for text in (content.text or "", content.html or "")):
        delimiter = new_delimiter()
    tags = _tags(bodies, delimiter)
    head = _head(subject, bodies, (_tagged(body, tags) for body in bodies))
    blob = head + _rest(content)
    if len(blob) > CALL_BYTES_MAX - 2 * SUBSTITUTION_BYTES_MAX:
        raise CannotCarry("the mail is larger than the 30 MB that SendGrid takes")
    return Frame(
        content=content,
        subject=subject,
        bodies=bodies,
        delimiter=delimiter,
        tags=tuple(tags),
        blob=blob,
        rest_start=len(head),
        digest=sha256(blob).digest(),
    )


def calls(frame: Frame, copies: Sequence[Copy]) -> Iterator[Call]:
    """The calls that carry these copies; raises MissingField where a value is not there.

    An address stands in one call once, whatever its case: a further copy goes in a further call.
    """
    layers: list[list[tuple[Copy, bytes]]] = []
    seen: dict[str, int] = {}
    for copy in copies:
        substitutions = _substitutions(frame, copy)
        if substitutions is None:
            yield _own_call(frame, copy)
            continue
        address = copy.recipient.casefold()
        layer = seen[address] = seen.get(address, -1) + 1
        if layer == len(layers):
            layers.append([])
        layers[layer].append((copy, _personalization(frame, copy, substitutions)))
    for layer_copies in layers:
        yield from (_call(frame, batch) for batch in _batches(frame, layer_copies))


def _batches(
    frame: Frame, written: Sequence[tuple[Copy, bytes]]
) -> Iterator[list[tuple[Copy, bytes]]]:
    """Runs within the vendor's limits of recipients and bytes."""
    room = CALL_BYTES_MAX - len(frame.blob) - len(_OPENING) - 2
    batch: list[tuple[Copy, bytes]] = []
    used = 0
    for one in written:
        size = len(one[1]) + 1
        if batch and (len(batch) == RECIPIENTS_MAX or used + size > room):
            yield batch
            batch, used = [], 0
        batch.append(one)
        used += size
    if batch:
        yield batch


_OPENING = b'{"personalizations":['


def _call(frame: Frame, batch: Sequence[tuple[Copy, bytes]]) -> Call:
    slices = []
    offset = len(_OPENING)
    for _, own in batch:
        slices.append((offset, len(own)))
        offset += len(own) + 1
    return Call(
        copies=tuple(copy for copy, _ in batch),
        segments=(
            _OPENING + b",".join(own for _, own in batch) + b"],",
            Stored(frame.digest, 0, len(frame.blob)),
        ),
        slices=tuple(slices),
        shared={frame.digest: frame.blob},
    )


def _own_call(frame: Frame, copy: Copy) -> Call:
    """A call for one recipient, with everything filled in by us."""
    texts = (body.template.render(copy.vars, body.escape) for body in frame.bodies)
    own = _personalization(frame, copy, "")
    literal = _OPENING + own + b"]," + _head(frame.subject, frame.bodies, texts)
    rest = len(frame.blob) - frame.rest_start
    if len(literal) + rest > CALL_BYTES_MAX:
        raise CannotCarry("a copy is larger than the 30 MB that SendGrid takes")
    return Call(
        copies=(copy,),
        segments=(literal, Stored(frame.digest, frame.rest_start, rest)),
        slices=((len(_OPENING), len(literal) - len(_OPENING)),),
        shared={frame.digest: frame.blob},
        changes=("fields filled in by us",),
    )


def _substitutions(frame: Frame, copy: Copy) -> str | None:
    """The object of this copy's values as JSON, empty without fields; None: not by substitution."""
    if not frame.tags:
        return ""
    written = []
    size = 0
    for tag in frame.tags:
        value = _value(tag, copy)
        size += len(tag.name) + (len(value) if value.isascii() else len(value.encode()))
        if frame.delimiter in value:
            return None
        written.append(tag.opening + quoted(value))
    if size > SUBSTITUTION_BYTES_MAX:
        return None
    return ',"substitutions":{' + ",".join(written) + "}"


def _value(tag: _Tag, copy: Copy) -> str:
    value = copy.vars.get(tag.key)
    if value is None:
        raise MissingField(tag.key)
    return value if tag.escape is None else tag.escape(value)


def _personalization(frame: Frame, copy: Copy, substitutions: str) -> bytes:
    name = "" if not copy.name else f',"name":{quoted(_name(copy.name))}'
    subject = ""
    if frame.subject.keys:
        subject = f',"subject":{quoted(_subject(frame.subject.render(copy.vars)))}'
    return (
        f'{{"to":[{{"email":{quoted(copy.recipient)}{name}}}]'
        f',"custom_args":{{"{HANDOVER_ARG}":"{copy.handover_id}"}}{subject}{substitutions}}}'
    ).encode("ascii")


def _subject(text: str) -> str:
    """A subject line; a single space for an empty one, which the vendor refuses."""
    return one_line(text) or " "


def _name(name: str) -> str:
    """A display name as the vendor's own clients write it: commas and semicolons in quotes."""
    if not {",", ";"} & set(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _tags(bodies: Sequence[_Body], delimiter: str) -> list[_Tag]:
    """A tag for every field of every form, numbered: none is the beginning of another."""
    fields = [(key, body.escape) for body in bodies for key in sorted(body.template.keys)]
    names = [f"-{delimiter}.{number}-" for number in range(len(fields))]
    return [
        _Tag(key, escape, name, f"{quoted(name)}:")
        for (key, escape), name in zip(fields, names, strict=True)
    ]


def _tagged(body: _Body, tags: Sequence[_Tag]) -> str:
    names = {tag.key: tag.name for tag in tags if tag.escape is body.escape}
    return body.template.with_tags(names.__getitem__)


def _bodies(content: Content) -> Iterator[_Body]:
    if content.text:
        yield _Body("text/plain", parse(content.text), None)
    if content.html:
        yield _Body("text/html", parse(content.html), html.escape)


def _head(subject: Template, bodies: Sequence[_Body], texts: Iterable[str]) -> bytes:
    """Subject and bodies, with the comma that the rest follows; a subject with fields is apart."""
    opening = "" if subject.keys else f'"subject":{quoted(_subject(subject.render({})))},'
    written = ",".join(
        f'{{"type":"{body.media_type}","value":{quoted(text)}}}'
        for body, text in zip(bodies, texts, strict=True)
    )
    return f'{opening}"content":[{written}],'.encode("ascii")


def _rest(content: Content) -> bytes:
    """Everything that is the same even for a copy rendered by us."""
    payload: dict[str, object] = {
        "from": _person(content.sender),
        "headers": header_fields(content),
        "tracking_settings": _tracking(content),
    }
    if len(content.reply_to) == 1:
        payload["reply_to"] = _person(content.reply_to[0])
    elif content.reply_to:
        payload["reply_to_list"] = [_person(box) for box in content.reply_to]
    if content.attachments:
        inline = bool(content.html)
        payload["attachments"] = [_attachment(each, inline) for each in content.attachments]
    return json.dumps(payload, separators=(",", ":"))[1:].encode("ascii")


def _person(mailbox: Mailbox) -> dict[str, str]:
    if not mailbox.name:
        return {"email": mailbox.email}
    return {"email": mailbox.email, "name": _name(mailbox.name)}


def _tracking(content: Content) -> dict[str, object]:
    """Always said, whatever the account's own settings are: nothing is tracked unasked."""
    return {
        "click_tracking": {"enable": content.track_clicks, "enable_text": False},
        "open_tracking": {"enable": content.track_opens},
        "subscription_tracking": {"enable": False},
        "ganalytics": {"enable": False},
    }


def _attachment(attachment: Attachment, inline: bool) -> dict[str, str]:
    written = {
        "content": b64encode(attachment.content).decode("ascii"),
        "filename": attachment.filename,
        "type": attachment.content_type,
        "disposition": "attachment",
    }
    if attachment.content_id and inline:
        written |= {"disposition": "inline", "content_id": attachment.content_id}
    return written


def _check(content: Content) -> None:
    """Nothing; raises CannotCarry for what SendGrid's JSON cannot say."""
    check_people(content, API)
    check_headers(content, API, _RESERVED)
    for attachment in content.attachments:
        check_attachment(attachment, API)
