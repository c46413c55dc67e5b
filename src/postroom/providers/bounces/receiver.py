"""Mail that came to a return path, read as the events of the hand-over that the path names.

The door has verified the path before it took the mail, and has noted in the receipt's headers
which hand-over it names and to whom that went. Nothing that the mail itself claims of an id is
believed: whoever sends to a valid return path speaks of that hand-over and of no other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from postroom.domain.delivery import EventType
from postroom.providers import told
from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.bounces.reading import date_of, is_personal, parse_mail, says_of
from postroom.providers.bounces.report import as_delivered, same_mailbox

HANDOVER = "x-postroom-handover"
"""The receipt's header in which the door notes the hand-over of the return path."""
RECIPIENT = "x-postroom-recipient"
"""The receipt's header in which the door notes to whom the hand-over went."""

_OF_DELIVERY = frozenset({EventType.BOUNCED, EventType.DEFERRED})


class BounceReceiver:
    """The receiver of SMTP relays: they tell nothing by themselves, their bounces do."""

    signed = False

    def verify(
        self,
        account: Account,  # noqa: ARG002 - every receiver is asked alike
        headers: Mapping[str, str],  # noqa: ARG002
        body: bytes,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> None:
        """Always NotAuthentic: bounces come by SMTP, to return paths that prove themselves."""
        raise NotAuthentic("Notifications of an SMTP relay come by SMTP.")

    def parse(self, headers: Mapping[str, str], body: bytes) -> Iterator[Heard]:
        """The events of one mail that the door took; Unreadable without its notes."""
        handover_id, recipient = told.uuid(headers, HANDOVER), headers.get(RECIPIENT)
        if handover_id is None or not recipient:
            raise Unreadable("the mail came to no return path")
        for heard in _of(recipient, body):
            yield replace(
                heard, recipient=recipient, handover_id=handover_id, start=0, length=len(body)
            )


def _of(recipient: str, body: bytes) -> list[Heard]:
    """What a mail says of this recipient, whose hand-over its path names."""
    heards = parse_mail(body)
    own = [heard for heard in heards if _is_about(heard, recipient)]
    if own or heards:
        # A forwarder's bounce names where it forwarded to: the recipient itself took the mail.
        return own or [_elsewhere(heard, recipient, body) for heard in heards]
    return [_reply(body) if is_personal(body) else Heard(EventType.UNKNOWN, recipient, None)]


def _is_about(heard: Heard, recipient: str) -> bool:
    return heard.recipient is None or same_mailbox(recipient, heard.recipient)


def _elsewhere(heard: Heard, recipient: str, body: bytes) -> Heard:
    """An event of another address: a person's other mailbox, or one that ours forwards to."""
    if heard.type not in _OF_DELIVERY or says_of(body, recipient):
        return heard
    return as_delivered(heard, recipient)


def _reply(body: bytes) -> Heard:
    """A person's answer; its date tells two of them apart."""
    at, raw = date_of(body)
    return Heard(EventType.REPLIED, None, at, raw, provider_type="reply")
