"""A mail as it comes to the SMTP port, and what a face makes of it."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from postroom.simulator.addresses import Fate, decide, is_address
from postroom.simulator.copies import Copy
from postroom.simulator.links import first_link
from postroom.simulator.truth import digest_of_mail


class SmtpRefusedError(Exception):
    """The mail is not taken; the text is the whole reply."""


class SmtpMail:
    """What came in one transaction."""

    def __init__(
        self,
        sender: str,
        recipients: Sequence[str],
        data: bytes,
        seed: int,
        silent_share: float,
        notify: Sequence[str],
    ) -> None:
        """`notify`: by recipient, the reports that were asked for; empty where nothing was said."""
        self.sender, self.recipients, self.data = sender, recipients, data
        self.seed, self.silent_share, self.notify = seed, silent_share, notify
        self.taken_at = time.time()
        self._head, _, self._body = data.partition(b"\r\n\r\n")

    @property
    def head(self) -> str:
        """The header section as text; `surrogateescape` gives its bytes back."""
        return self._head.decode(errors="surrogateescape")

    @property
    def headers(self) -> EmailMessage:
        """The header section alone."""
        return message_from_bytes(self._head, policy=policy.default)

    def copies(
        self, face: str, message_id: str, mail: bytes, header_message_id: str, **more: Any
    ) -> list[Copy]:
        """One for each recipient; `mail` is what they get, `more` the fields that a face adds."""
        headers = self.headers
        shared: dict[str, Any] = {
            "face": face,
            "message_id": message_id,
            "door": "smtp",
            "sender": self.sender,
            "to": addresses(headers, "To"),
            "cc": addresses(headers, "Cc"),
            "digest": digest_of_mail(mail),
            "header_message_id": str(headers["Message-ID"] or header_message_id).strip(),
            "taken_at": self.taken_at,
            "starts_at": self.taken_at,
            "seed": self.seed,
            "silent_share": self.silent_share,
            "url": first_link([self._body.decode(errors="replace")]),
        }
        return [
            Copy(number=number, recipient=recipient, **shared | more)
            for number, recipient in enumerate(self.recipients)
        ]


class SmtpRoad(ABC):
    """The SMTP interface of one face; who logs in with its credentials speaks to it."""

    data_bytes_max: int = 30 * 1024 * 1024
    reports: bool = False
    """Whether it sends the reports that a sender may ask for."""

    @abstractmethod
    def knows(self, user: bytes, password: bytes) -> bool:
        """Whether these are the account's credentials; compared in constant time."""

    @abstractmethod
    def copies(self, mail: SmtpMail) -> list[Copy]:
        """What is taken of this mail; raises SmtpRefusedError."""

    def objection(self, address: str, seed: int) -> str | None:
        """The reply to a recipient that is not taken; None to one that is."""
        taken = self.accepts(address) and decide(address, seed).fate is not Fate.REFUSE
        return None if taken else self.refusal(address)

    def refusal(self, address: str) -> str:
        """The reply to a recipient that is not taken."""
        return f"550 5.1.3 Invalid recipient address <{address}>"

    def accepts(self, address: str) -> bool:
        """Whether it is an address that this provider writes to."""
        return is_address(address)

    def taken(self, message_id: str) -> str:
        """The reply to a mail that was taken."""
        return f"250 Ok: queued as {message_id}"


def without_headers(mail: bytes, prefix: str) -> bytes:
    """The mail without the headers whose names begin so, everything else byte for byte."""
    head, gap, body = mail.partition(b"\r\n\r\n")
    named = re.compile(
        rb"^" + re.escape(prefix.encode()) + rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*",
        re.IGNORECASE | re.MULTILINE,
    )
    return named.sub(b"", head + b"\r\n").removesuffix(b"\r\n") + gap + body


def addresses(headers: EmailMessage, name: str) -> tuple[str, ...]:
    """The addresses in all headers of this name."""
    return tuple(
        address.addr_spec
        for header in headers.get_all(name, [])
        for address in getattr(header, "addresses", ())
    )
