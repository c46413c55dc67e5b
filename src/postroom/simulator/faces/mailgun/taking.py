"""From an accepted call to one copy per recipient."""

import secrets
import time
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from typing import Any

from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.mailgun.messages import Message, Template, attachments_of
from postroom.simulator.http_door import House
from postroom.simulator.links import first_link
from postroom.simulator.smtp_mail import addresses
from postroom.simulator.truth import digest_of_content, digest_of_mail, digest_of_rest


def new_message_id(domain: str) -> str:
    """As the vendor makes it, without the angle brackets of its answer."""
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    return f"{stamp}.{secrets.token_hex(8)}@{domain}"


class Taking:
    """One accepted call."""

    def __init__(self, face: str, domain: str, message: Message, house: House) -> None:
        self._message, self._house, self._now = message, house, time.time()
        self.message_id = new_message_id(domain)
        tracked = message.is_on("o:tracking", usual=True)
        self._shared: dict[str, Any] = {
            "face": face,
            "message_id": self.message_id,
            "door": "http",
            "taken_at": self._now,
            "starts_at": max(self._now, message.deliver_at),
            "seed": house.seed,
            "tags": tuple(message.texts("o:tag")),
            "track_opens": tracked and message.is_on("o:tracking-opens", usual=True),
            "track_clicks": tracked and message.is_on("o:tracking-clicks", usual=True),
            "silent_share": house.silent_share,
        }
        self._metadata = {name: Template(text) for name, text in message.metadata.items()}

    def _copy(self, number: int, recipient: str, shown: str, **own: Any) -> Copy:
        """`shown` is the person of To whose variables are filled in."""
        values = (self._message.variables or {}).get(shown.lower(), {})
        metadata = {name: text.fill(shown, values) for name, text in self._metadata.items()}
        return Copy(
            number=number,
            recipient=recipient,
            handover=metadata.get(HANDOVER_KEY),
            metadata=metadata,
            **self._shared,
            **own,
        )

    def copies(self) -> list[Copy]:
        """Of a message in parts.

        With recipient variables each To sees nobody but themselves, and Cc and Bcc get a copy of
        each of these mails; without them there is one mail that all To see.
        """
        message = self._message
        cc, bcc = message.addresses("cc"), message.addresses("bcc")
        texts = [(kind, message.text(name)) for kind, name in _PARTS if message.text(name)]
        subject = Template(message.text("subject"))
        parts = [(kind, Template(text)) for kind, text in texts]
        rest = digest_of_rest(attachments_of(message))
        found: list[Copy] = []
        for shown, to in self._mails():
            values = (message.variables or {}).get(shown.lower(), {})
            filled = [(kind, part.fill(shown, values)) for kind, part in parts]
            own: dict[str, Any] = {
                "sender": message.addresses("from")[0],
                "to": to,
                "cc": tuple(cc),
                "header_message_id": f"<{self.message_id}>",
                "digest": digest_of_content(subject.fill(shown, values), filled, rest),
                "url": first_link([text for _, text in filled]),
                "more": {"subject": subject.fill(shown, values), "from": message.text("from")},
            }
            recipients = [*(to if not message.variables else (shown,)), *cc, *bcc]
            found += [
                self._copy(len(found) + number, recipient, shown, **own)
                for number, recipient in enumerate(recipients)
            ]
        return found

    def _mails(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """For each mail that is made: whose variables it has, and whom its To shows."""
        everybody = self._message.addresses("to")
        if not self._message.variables:
            yield everybody[0], tuple(everybody)
            return
        for each in everybody:
            yield each, (each,)

    def mime_copies(self) -> list[Copy]:
        """Of a message that came whole: each recipient gets it with their variables filled in."""
        template = Template(self._message.files("message")[0].value.decode("latin-1"))
        found = []
        for number, recipient in enumerate(self._message.addresses("to")):
            values = (self._message.variables or {}).get(recipient.lower(), {})
            mail = template.fill(recipient, _as_latin_1(values)).encode("latin-1")
            head, _, body = mail.partition(b"\r\n\r\n")
            headers = message_from_bytes(head, policy=policy.default)
            own = {
                "sender": next(iter(addresses(headers, "From")), ""),
                "to": addresses(headers, "To"),
                "cc": addresses(headers, "Cc"),
                "digest": digest_of_mail(mail),
                "header_message_id": str(headers["Message-ID"] or f"<{self.message_id}>").strip(),
                "url": first_link([body.decode(errors="replace")]),
                "more": {"subject": str(headers["Subject"]), "from": str(headers["From"])},
            }
            found.append(self._copy(number, recipient, recipient, **own))
        return found


def _as_latin_1(values: Mapping[str, Any]) -> dict[str, str]:
    """Values whose UTF-8 bytes are to stand among the bytes of a mail."""
    return {key: str(value).encode().decode("latin-1") for key, value in values.items()}


_PARTS = (("text/plain", "text"), ("text/x-amp-html", "amp-html"), ("text/html", "html"))
