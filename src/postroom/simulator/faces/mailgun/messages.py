"""What the vendor refuses in a message, and what it makes of one that it takes.

documentation.mailgun.com: API reference, Messages; user manual, Sending Messages and Batch
Sending; read 2026-11-24. Texts are the vendor's where its pages or published answers show them;
where they show only the rule, the text states the rule.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from postroom.simulator.addresses import is_address, refused_among
from postroom.simulator.faces.mailgun.form import Field

RECIPIENTS_MAX = 1000
OPTION_BYTES_MAX = 16 * 1024
PREFIXES = ("o:", "h:", "v:", "t:")

_VARIABLE = re.compile(r"%(recipient(?:\.[^%\s]+|_email)?)%")


class Message:
    """The fields of one call."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields
        self.variables = _object(self.text("recipient-variables"))
        """By address; None when they are no JSON object of objects."""

    def texts(self, name: str) -> list[str]:
        """Every value under this name."""
        return [field.text for field in self._fields if field.name == name]

    def text(self, name: str) -> str:
        """The first value under this name; empty when there is none."""
        return next(iter(self.texts(name)), "")

    def files(self, *names: str) -> list[Field]:
        """The files under these names."""
        return [field for field in self._fields if field.name in names]

    def addresses(self, name: str) -> list[str]:
        """Everybody under `to`, `cc`, `bcc` or `from`, each once."""
        found = [address for _, address in getaddresses(self.texts(name)) if address]
        return list({address.lower(): address for address in found}.values())

    def is_on(self, name: str, usual: bool) -> bool:
        """An option that is yes, no or a word that means yes."""
        said = self.text(name).lower()
        return usual if not said else said not in {"no", "false"}

    @property
    def metadata(self) -> dict[str, str]:
        """The `v:` fields."""
        return {
            field.name.removeprefix("v:"): field.text
            for field in self._fields
            if field.name.startswith("v:")
        }

    @property
    def deliver_at(self) -> float:
        """Seconds since 1970 of `o:deliverytime`; 0 when none is asked for. Raises ValueError."""
        said = self.text("o:deliverytime")
        return parsedate_to_datetime(said).timestamp() if said else 0.0

    @property
    def option_bytes(self) -> int:
        """The size of all options, headers and variables together."""
        return sum(
            len(field.name) + len(field.value)
            for field in self._fields
            if field.name.startswith(PREFIXES)
        )


def flaws(message: Message, seed: int, is_mime: bool) -> Iterator[str]:
    """What is wrong with the call; the vendor names the parameter and never the address."""
    if not is_mime:
        yield from _people(message, "from", seed)
    yield from _people(message, "to", seed)
    for name in ("cc", "bcc"):
        if message.text(name):
            yield from _people(message, name, seed)
    if is_mime and not message.files("message"):
        yield "'message' parameter is missing"
    if message.text("template"):
        yield "'template' must be the name of a template of this domain"
    elif not is_mime and not any(message.text(name) for name in ("text", "html", "amp-html")):
        yield "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"
    if message.variables is None:
        yield "'recipient-variables' parameter is not a valid JSON dictionary"
    if message.option_bytes > OPTION_BYTES_MAX:
        yield "The 'o:', 'h:', 'v:' and 't:' parameters together are limited to 16KB"
    try:
        message.deliver_at  # noqa: B018  # raises
    except ValueError:
        yield "'o:deliverytime' parameter is not a valid date"


def _people(message: Message, name: str, seed: int) -> Iterator[str]:
    if not message.text(name):
        yield f"'{name}' parameter is missing"
        return
    found = message.addresses(name)
    if not found or not all(map(is_address, found)) or refused_among(found, seed):
        yield f"'{name}' parameter is not a valid address. please check documentation"
    if len(found) > RECIPIENTS_MAX:
        yield f"'{name}' parameter has more than {RECIPIENTS_MAX} recipients"


def _object(text: str) -> dict[str, dict[str, Any]] | None:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        return None
    return {address.lower(): values for address, values in value.items()}


class Template:
    """A text cut at its variables once, to be filled for many recipients."""

    def __init__(self, text: str) -> None:
        self._pieces = _VARIABLE.split(text)

    def fill(self, address: str, values: Mapping[str, Any]) -> str:
        """`%recipient.key%` by its value; a key that nobody set stays as it is written."""
        if len(self._pieces) == 1:
            return self._pieces[0]
        filled = list(self._pieces)
        filled[1::2] = [_value(name, address, values) for name in self._pieces[1::2]]
        return "".join(filled)


def _value(name: str, address: str, values: Mapping[str, Any]) -> str:
    _, dot, key = name.partition(".")
    if not dot:
        return address
    return str(values[key]) if key in values else f"%{name}%"


def attachments_of(message: Message) -> list[dict[str, str]]:
    """What `digest_of_rest` takes: one dictionary an attachment, in the order of the call."""
    return [
        {
            "name": file.filename or "",
            "type": file.type,
            "disposition": file.name,
            "content": b64encode(file.value).decode(),
        }
        for file in message.files("attachment", "inline")
    ]
