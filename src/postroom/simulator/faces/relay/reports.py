"""What a relay tells: reports, complaints and notices by mail to the envelope sender, or nothing.

It is silent about a mail that went well, unless NOTIFY=SUCCESS asked for more (RFC 3461, section
4.1), and about every mail with the null sender (RFC 5321, section 4.5.5). It warns of a delay once.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from postroom.simulator.dice import Dice
from postroom.simulator.faces.relay.mails import complaint, report, vacation_notice
from postroom.simulator.posting import MAIL_FROM, RCPT_TO
from postroom.simulator.steps import What
from postroom.simulator.teller import Event, Post, Teller

_MESSAGE_ID = re.compile(r"^Message-ID: <", re.MULTILINE)
_ACTION = re.compile(r"^Action: [a-z]+", re.MULTILINE)
_STATUS = re.compile(r"^Status: [0-9.]+", re.MULTILINE)


class Written(NamedTuple):
    """A mail that comes back, and its own envelope sender."""

    mail_from: str
    mail: str


class Reporter(Teller):
    """Writes to whoever is the envelope sender."""

    def tell(self, event: Event) -> str | None:
        """The envelope and the mail as a JSON object."""
        words, sender = _WORDS[event.step.what], event.copy.sender
        written = words(event) if words and sender else None
        if written is None:
            return None
        return json.dumps({"from": written.mail_from, "to": sender, "mail": written.mail})

    def post(self, entries: Sequence[str], at: float) -> Post:
        """One mail."""
        del at
        told = json.loads(entries[0])
        body = told["mail"].encode(errors="surrogateescape")
        return Post(body, {MAIL_FROM: told["from"], RCPT_TO: told["to"]})

    def reissued(self, entry: str, round_: int) -> str:
        """The same told in another mail."""
        told = json.loads(entry)
        mail = _MESSAGE_ID.sub(f"Message-ID: <{round_}.", told["mail"], count=1)
        return json.dumps({**told, "mail": mail})

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """A failure, with all that the true mail returns, at a path that nobody gave out."""
        del at, dice
        told = json.loads(entries[0])
        mail = _STATUS.sub("Status: 5.1.1", _ACTION.sub("Action: failed", told["mail"]))
        body = mail.encode(errors="surrogateescape")
        return Post(body, {**true.headers, RCPT_TO: _other_path(told["to"])})

    def is_final(self, status: int) -> bool:
        """A mail refused for good is not sent again, and nothing is told of that."""
        return status >= 500


def _other_path(address: str) -> str:
    """Another local part of the same length."""
    local, _, domain = address.rpartition("@")
    last = "c" if local.endswith("b") else "b"
    return f"{local[:-1]}{last}@{domain}"


def _is_wanted(event: Event, word: str) -> bool:
    """Whether the sender asked for such a report; failures and delays come unasked."""
    asked = event.copy.more.get("notify", "FAILURE,DELAY")
    return word in asked.split(",")


def _failed(event: Event) -> Written | None:
    return Written("", report(event, "failed")) if _is_wanted(event, "FAILURE") else None


def _delayed(event: Event) -> Written | None:
    wanted = event.step.attempt == 1 and _is_wanted(event, "DELAY")
    return Written("", report(event, "delayed")) if wanted else None


def _delivered(event: Event) -> Written | None:
    return Written("", report(event, "delivered")) if _is_wanted(event, "SUCCESS") else None


def _away(event: Event) -> Written:
    return Written("", vacation_notice(event))


def _complained(event: Event) -> Written:
    return Written(f"feedback@{event.copy.recipient.rpartition('@')[2]}", complaint(event))


_WORDS: dict[What, Callable[[Event], Written | None] | None] = {
    What.ACCEPTED: None,
    What.DEFERRED: _delayed,
    What.DELIVERED: _delivered,
    What.BOUNCED: _failed,
    What.DROPPED: None,
    What.AUTO_REPLIED: _away,
    What.COMPLAINED: _complained,
    What.OPENED: None,
    What.CLICKED: None,
    What.UNSUBSCRIBED: None,
}
"""By what happened; None: nobody is told of it. A relay sees nobody read, and drops nothing."""
