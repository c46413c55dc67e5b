"""The mails of a run, from its seed: what clients submit and what each person is to get."""

import json
import random
from dataclasses import dataclass, field
from hashlib import sha256

from postroom.simulator.truth import digest_of_content, digest_of_mail
from tests.faults.scale import Scale

COMMUNICATION = "fault-suite"
_SUBJECT, _TEXT, _LAST_LINE = "Notice to you", "This is for", "Nobody else reads this."
PRIVATE = ("@people.example", "@sim.example", _SUBJECT, _TEXT, _LAST_LINE)
"""Pieces of every address, subject and body: in no log may they stand."""
_BIG_SHARE = 0.1
_FATES = (
    ("delivered", 58),
    ("bounce", 5),
    ("full", 2),
    ("defer", 3),
    ("defer-then-deliver", 5),
    ("late-bounce", 3),
    ("block", 2),
    ("spam", 2),
    ("refuse", 1),
    ("complain", 1),
    ("suppressed", 2),
    ("silent", 2),
    ("open", 2),
    ("click", 1),
    ("unsubscribe", 1),
)
"""Magic local parts and their shares; the rest are ordinary addresses."""
_ORDINARY = 10
_FROM_DOMAINS = 1_000
"""So many that no guard judges the mail of one: it would rightly hold what fails as often."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as its client submits it, as often as it takes, always the same bytes."""

    id: str
    """The Idempotency-Key, or the left part of the Message-ID."""
    door: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)
    """The JSON body, or the DATA."""
    to: tuple[str, ...] | None
    """What every copy shows in To and in Cc; None: the recipient alone."""
    cc: tuple[str, ...]
    digests: dict[str, str] = field(repr=False)
    """What each recipient is to get, as the simulator's truth log digests it: by HTTP."""
    sent: bytes | None = field(default=None, repr=False)
    """What every recipient is to get below the trace that we put on top: by SMTP."""

    @property
    def digest(self) -> str:
        """SHA-256 of the submission."""
        return sha256(self.raw).hexdigest()

    def digest_for(self, recipient: str, trace: bytes) -> str:
        """What this recipient is to get, as the simulator's truth log digests it."""
        return self.digests[recipient] if self.sent is None else digest_of_mail(trace + self.sent)


def mails(seed: int, scale: Scale) -> list[Mail]:
    """All mails of a run, in the order in which they are submitted; every address occurs once."""
    dice = random.Random(f"mails {seed}")
    made = []
    for number, size in enumerate(_sizes(dice, scale)):
        name = f"s{seed}m{number}"
        people = tuple(_address(dice, f"{name}r{n}") for n in range(size))
        by_smtp = size <= 4 and dice.random() < 2 * scale.smtp_share
        made.append((_by_smtp if by_smtp else _by_http)(name, people, number))
    return made


def more_mails(door: str, name: str, seed: int, count: int) -> list[Mail]:
    """As many mails beside those of the run, each for one person; `name` tells them from others."""
    dice = random.Random(f"{name} {seed}")
    names = [f"s{seed}{name}{number}" for number in range(count)]
    people = [(_address(dice, each),) for each in names]
    made_by = _by_http if door == "http" else _by_smtp
    return [made_by(each, to, n) for n, (each, to) in enumerate(zip(names, people, strict=True))]


def _sizes(dice: random.Random, scale: Scale) -> list[int]:
    """Recipients of each mail: every tenth has several batches' worth, the others a few."""
    sizes = [1] * scale.messages
    big = range(0, scale.messages, round(1 / _BIG_SHARE))
    for _ in range(scale.recipients - scale.messages):
        chosen = dice.choice(big) if dice.random() < 0.6 else dice.randrange(scale.messages)
        sizes[chosen] += 1
    return sizes


def _address(dice: random.Random, label: str) -> str:
    fates, weights = zip(*_FATES, ("ordinary", _ORDINARY), strict=True)
    (fate,) = dice.choices(fates, weights)
    return f"{label}@people.example" if fate == "ordinary" else f"{fate}+{label}@sim.example"


def _sender(number: int) -> str:
    return f"notices@company{number % _FROM_DOMAINS}.example"


def _by_http(name: str, people: tuple[str, ...], number: int) -> Mail:
    body = {
        "from": _sender(number),
        "to": [{"email": person, "vars": {"who": person}} for person in people],
        "subject": f"{_SUBJECT} {name}",
        "text": f"{_TEXT} {{{{ who }}}} alone.",
        "communication": COMMUNICATION,
    }
    digests = {
        person: digest_of_content(
            f"{_SUBJECT} {name}", [("text/plain", f"{_TEXT} {person} alone.")]
        )
        for person in people
    }
    return Mail(name, "http", people, json.dumps(body).encode(), None, (), digests)


def _by_smtp(name: str, people: tuple[str, ...], number: int) -> Mail:
    """A mail with To and Cc, and with recipients that stand in no header."""
    to, cc = people[:1], people[1:2]
    own = f"X-Postroom-Communication: {COMMUNICATION}\r\n"
    head = [
        f"From: {_sender(number)}",
        f"To: {', '.join(to)}",
        *([f"Cc: {', '.join(cc)}"] if cc else []),
        f"Subject: {_SUBJECT} {name}",
        f"Message-ID: <{name}@company.example>",
    ]
    body = f"\r\nNumber {number}.\r\n.. and a line that begins with dots\r\n.\r\n{_LAST_LINE}\r\n"
    sent = "".join(f"{line}\r\n" for line in head) + body
    return Mail(name, "smtp", people, (own + sent).encode(), to, cc, {}, sent.encode())
