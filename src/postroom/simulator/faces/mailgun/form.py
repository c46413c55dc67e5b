"""The fields of a form, as the vendor takes it: multipart/form-data (RFC 7578) or URL-encoded."""

from email.message import Message
from email.parser import HeaderParser
from typing import NamedTuple
from urllib.parse import parse_qsl


class FormError(ValueError):
    """The body is not the form that its content type says."""


class Field(NamedTuple):
    """One field; a name may occur more than once."""

    name: str
    value: bytes
    filename: str | None = None
    """None: no file."""
    type: str = "text/plain"

    @property
    def text(self) -> str:
        """The value of a field that is no file."""
        return self.value.decode(errors="replace")


def fields_of(content_type: str, body: bytes) -> list[Field]:
    """Every field in its order; raises FormError."""
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() == "application/x-www-form-urlencoded":
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
        return [Field(name, value.encode()) for name, value in pairs]
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise FormError("the body is no form")
    return _parts(boundary.encode(errors="replace"), body)


def _parts(boundary: bytes, body: bytes) -> list[Field]:
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if not parts or not parts[-1].startswith(b"--"):
        raise FormError("the form breaks off")
    return [_field(part) for part in parts[:-1]]


def _field(part: bytes) -> Field:
    head, gap, value = part.partition(b"\r\n\r\n")
    # RFC 7578 5.1: names of fields and files are UTF-8 as it is.
    header = HeaderParser().parsestr(head.lstrip(b" \t\r\n").decode(errors="replace"))
    name = header.get_param("name", header="content-disposition")
    if not gap or not isinstance(name, str):
        raise FormError("a part of the form has no name")
    return Field(name, value, header.get_filename(), header.get_content_type())
