"""The envelope of one SMTP transaction, and whether a server can take it as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from postroom.domain.address import parse_address
from postroom.providers.base import Refusal


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends, who receives, and what the content asks of the server."""

    mail_from: str
    """Empty for the null sender."""
    recipient: str
    smtputf8: bool
    eight_bit: bool
    size: int

    @classmethod
    def of(cls, mail_from: str, recipient: str, data: bytes) -> Self:
        """The envelope of a mail; AddressError where an address is none."""
        sender = parse_address(mail_from) if mail_from else None
        to = parse_address(recipient)
        return cls(
            mail_from=sender.spec if sender else "",
            recipient=to.spec,
            smtputf8=to.smtputf8 or (sender is not None and sender.smtputf8),
            eight_bit=not data.isascii(),
            size=len(data),
        )

    def refusal(self, extensions: Mapping[str, str]) -> Refusal | None:
        """Why this server cannot take the mail without changing it; None when it can.

        Nothing is ever converted: a signed mail must arrive as it was.
        """
        if self.smtputf8 and "SMTPUTF8" not in extensions:
            text = "the server does not take addresses beyond ASCII (no SMTPUTF8)"
            return Refusal("charset_unsupported", text, enhanced_code="5.6.7")
        if self.eight_bit and "8BITMIME" not in extensions:
            text = "the mail is 8-bit and the server does not take that (no 8BITMIME)"
            return Refusal("charset_unsupported", text, enhanced_code="5.6.3")
        limit = _size_limit(extensions)
        if limit and self.size > limit:
            text = f"the mail has {self.size} bytes and the server takes {limit}"
            return Refusal("message_too_large", text, enhanced_code="5.3.4")
        return None

    def arguments(self, extensions: Mapping[str, str]) -> tuple[bytes, bytes]:
        """What stands after `MAIL FROM:` and `RCPT TO:`."""
        parameters = [f"SIZE={self.size}"] if "SIZE" in extensions else []
        if self.eight_bit:
            parameters.append("BODY=8BITMIME")
        if self.smtputf8:
            parameters.append("SMTPUTF8")
        mail = " ".join([f"<{self.mail_from}>", *parameters])
        return mail.encode(), f"<{self.recipient}>".encode()


def _size_limit(extensions: Mapping[str, str]) -> int:
    """The most bytes that the server says it takes; 0 when it does not say (RFC 1870)."""
    words = extensions.get("SIZE", "").split()
    return int(words[0]) if words and words[0].isdecimal() else 0
