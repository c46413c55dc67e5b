"""What recipients get: the truth log keeps its digest alone, tests look behind it."""

import base64
import binascii
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import pytest

from postroom.simulator import truth
from postroom.simulator.faces import provider as face


@dataclass(frozen=True)
class File:
    """An attached or inline part: its bytes, and the words that are said of it."""

    content: bytes = field(repr=False)
    words: frozenset[str]
    """Name, type and content id, whichever the provider was told."""


@dataclass(frozen=True)
class Seen:
    """One recipient's mail."""

    subject: str
    texts: Mapping[str, str]
    """By media type; with line ends as the author wrote them."""
    files: Sequence[File]
    raw: bytes | None = field(default=None, repr=False)
    """The whole mail, where it went by a road that takes finished ones."""

    def file(self, word: str) -> File:
        """The part of which this word is said."""
        return next(one for one in self.files if word in one.words)


class Digests:
    """Everything that the faces took, by its digest."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._files: dict[bytes, list[File]] = {b"": []}

    def __getitem__(self, digest: str) -> Seen:
        return self._seen[digest]

    def content(self, subject: str, contents: Sequence[tuple[str, str]], rest: bytes = b"") -> str:
        """In place of `truth.digest_of_content`."""
        digest = truth.digest_of_content(subject, contents, rest)
        self._seen[digest] = Seen(subject, _plain(dict(contents)), self._files[rest])
        return digest

    def rest(self, attachments: Sequence[dict[str, Any]]) -> bytes:
        """In place of `truth.digest_of_rest`."""
        digest = truth.digest_of_rest(attachments)
        self._files[digest] = [_told(one) for one in attachments]
        return digest

    def mail(self, data: bytes) -> str:
        """In place of `truth.digest_of_mail`."""
        digest = sha256(data).hexdigest()
        mail = message_from_bytes(data, policy=policy.default)
        subject = str(mail["Subject"] or "")
        self._seen[digest] = Seen(subject, _plain(dict(_texts(mail))), list(_files(mail)), data)
        return digest


@contextmanager
def looking_behind(provider: str) -> Iterator[Digests]:
    """Notes the mail behind every digest that this provider's face makes."""
    face(provider)
    digests = Digests()
    ours = {
        truth.digest_of_content: digests.content,
        truth.digest_of_rest: digests.rest,
        truth.digest_of_mail: digests.mail,
    }
    with pytest.MonkeyPatch.context() as patch:
        for module in [one for name, one in sys.modules.items() if _makes_digests(name)]:
            for word, value in list(vars(module).items()):
                if (own := _of(ours, value)) is not None:
                    patch.setattr(module, word, own)
        yield digests


def _makes_digests(module: str) -> bool:
    return module.startswith("postroom.simulator.") and module != truth.__name__


def _of(ours: Mapping[Any, Any], value: Any) -> Any:
    return next((own for original, own in ours.items() if original is value), None)


def _plain(texts: Mapping[str, str]) -> dict[str, str]:
    return {kind: text.replace("\r\n", "\n").rstrip("\n") for kind, text in texts.items()}


def _told(attachment: Mapping[str, Any]) -> File:
    """A part in any vendor's JSON: the long text is its content, the others speak of it."""
    words = [value for value in attachment.values() if isinstance(value, str)]
    encoded = max(words, key=len)
    said = {word.removeprefix("cid:").strip("<>") for word in words if word is not encoded}
    return File(_decoded(encoded), frozenset(said))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise AssertionError(f"no base64 in {text[:40]!r}") from error


def _texts(mail: EmailMessage) -> Iterator[tuple[str, str]]:
    for part in mail.walk():
        if part.get_content_maintype() == "text" and not part.get_filename():
            yield part.get_content_type(), part.get_content()


def _files(mail: EmailMessage) -> Iterator[File]:
    for part in mail.walk():
        if part.get_filename() or part["Content-ID"]:
            words = (part.get_filename(), part["Content-ID"], part.get_content_type())
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            yield File(content, frozenset(str(word).strip("<>") for word in words if word))
