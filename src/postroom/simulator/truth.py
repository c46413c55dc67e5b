"""Reading the truth log: what the provider really did, hand-over by hand-over.

Each line is a JSON object with a `kind`:

- `taken`: a mail was accepted for one recipient (`copies.Copy`), written before the answer;
- `fact`: something happened to it (`steps.Step`), written before the webhook that tells of it;
- `heard`: the webhooks of this batch were answered with a 2xx;
- `lost`: this batch will never be told (mischief, or the retries ran out).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from postroom.simulator.copies import Copy
from postroom.simulator.steps import DISPOSITIONS, Step, What


class TruthUnreadable(Exception):
    """The truth log holds a line that is none of ours."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to a copy."""

    at: float
    """Seconds since 1970."""
    batch: str | None
    """The webhook batch that tells of it; None: this provider tells nobody of such things."""
    step: Step
    """What happened, with the receiver's words."""

    @property
    def what(self) -> What:
        """What happened."""
        return self.step.what


@dataclass(slots=True)
class TakenCopy:
    """A copy and what became of it so far."""

    copy: Copy
    steps: int
    """How many facts there will be in the end."""
    facts: list[Fact] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Nothing more will happen to it."""
        return len(self.facts) >= self.steps

    @property
    def final(self) -> Fact | None:
        """The last fact about its disposition; None when nothing was heard of it yet."""
        said = [fact for fact in self.facts if fact.what in DISPOSITIONS]
        return said[-1] if said else None


@dataclass(slots=True)
class Truth:
    """Everything the truth log tells."""

    copies: dict[str, TakenCopy] = field(default_factory=dict)
    """By copy id, in the order they were taken."""
    heard: set[str] = field(default_factory=set)
    """Batches that were answered with a 2xx."""
    lost: set[str] = field(default_factory=set)
    """Batches that are never told."""

    def by_handover(self) -> dict[str, list[TakenCopy]]:
        """Copies by the sender's own hand-over id; more than one means it was sent twice."""
        found: dict[str, list[TakenCopy]] = {}
        for taken in self.copies.values():
            if taken.copy.handover:
                found.setdefault(taken.copy.handover, []).append(taken)
        return found

    def told(self, fact: Fact) -> bool:
        """Whether the receiver of the webhooks has acknowledged this fact, or is to hear none."""
        return fact.batch is None or fact.batch in self.heard

    def settled(self) -> bool:
        """Whether every mail's timeline has ended and every batch is heard or lost."""
        return all(
            taken.complete
            and all(self.told(fact) or fact.batch in self.lost for fact in taken.facts)
            for taken in self.copies.values()
        )


def load(path: Path) -> Truth:
    """The truth so far; an unfinished last line is left out. Raises TruthUnreadable."""
    truth = Truth()
    for number, line in enumerate(_lines(path), 1):
        try:
            _apply(truth, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise TruthUnreadable(f"{path} line {number}: {error!r}") from error
    return truth


def set_aside_older(path: Path) -> Path | None:
    """Where a log went that a release before `face` wrote; None when there is none."""
    first = next(_lines(path), b"")
    if not first.startswith(b'{"kind": "taken"') or b'"face": ' in first:
        return None
    return path.replace(path.with_name(f"{path.name}.older"))


def _lines(path: Path) -> Iterator[bytes]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return  # still being written: its rest must not be read as a line of its own
            yield line


def _apply(truth: Truth, line: dict[str, Any]) -> None:
    match line["kind"]:
        case "taken":
            truth.copies[line["copy"]] = TakenCopy(Copy.read(line), line["steps"])
        case "fact":
            fact = Fact(line["at"], line["batch"], Step.read(line))
            truth.copies[line["copy"]].facts.append(fact)
        case "heard":
            truth.heard.add(line["batch"])
        case "lost":
            truth.lost.add(line["batch"])
        case unknown:
            raise ValueError(f"unknown kind {unknown!r}")


def digest_of_content(subject: str, contents: Sequence[tuple[str, str]], rest: bytes = b"") -> str:
    """SHA-256 of what one recipient gets by the JSON road.

    `contents` are (type, text) pairs after substitution; `rest` is `digest_of_rest` of what all
    recipients share. Anyone can recompute it from what they meant to send.
    """
    parts = [subject]
    for pair in contents:
        parts.extend(pair)
    return sha256("\0".join(parts).encode(errors="surrogatepass") + rest).hexdigest()


def digest_of_rest(attachments: Sequence[dict[str, Any]]) -> bytes:
    """What the attachments add to the digest; nothing when there are none."""
    if not attachments:
        return b""
    return sha256(json.dumps(list(attachments), sort_keys=True).encode()).digest()


def digest_of_mail(data: bytes) -> str:
    """SHA-256 of a mail that came whole, without the headers that speak to the provider."""
    return sha256(data).hexdigest()
