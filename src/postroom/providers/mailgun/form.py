"""The parts of a form as Mailgun takes it: multipart/form-data (RFC 7578)."""

from collections.abc import Iterable

from postroom.domain.content import Attachment


def field(boundary: str, name: str, value: str) -> bytes:
    """A part that is text, its line end included."""
    return field_opening(boundary, name) + value.encode() + b"\r\n"


def field_opening(boundary: str, name: str) -> bytes:
    """The beginning of a part; its value and a line end are to follow."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode()


def file(boundary: str, name: str, attachment: Attachment) -> bytes:
    """A part that is a file."""
    opening = file_opening(boundary, name, attachment.filename, attachment.content_type)
    return opening + attachment.content + b"\r\n"


def file_opening(boundary: str, name: str, filename: str, content_type: str) -> bytes:
    """The beginning of a file's part; its content and a line end are to follow."""
    quoted = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{quoted}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    ).encode()


def closing(boundary: str) -> bytes:
    """The end of the form."""
    return f"--{boundary}--\r\n".encode()


def content_type_of(body: bytes) -> str:
    """The content type of a form that was made here; its first line names the boundary."""
    boundary = body[: body.index(b"\r\n")].removeprefix(b"--").decode("ascii")
    return f"multipart/form-data; boundary={boundary}"


def fields(boundary: str, named: Iterable[tuple[str, str]]) -> bytes:
    """Several parts that are text."""
    return b"".join(field(boundary, name, value) for name, value in named)
