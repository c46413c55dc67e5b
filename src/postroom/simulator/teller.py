"""How a provider tells what happened: its words, its posts, its proof, and when it gives up."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from postroom.simulator.copies import Copy
from postroom.simulator.dice import Dice
from postroom.simulator.steps import Step


@dataclass(frozen=True, slots=True)
class Post:
    """One request: exactly these bytes under these headers."""

    body: bytes
    headers: dict[str, str]


@dataclass(slots=True)
class Event:
    """One step of one copy that happened."""

    copy: Copy
    step: Step
    number: int
    """Which of the copy's steps, from 0."""
    at: float
    """Seconds since 1970."""
    opening: str
    """What `Teller.opening` gave for this copy."""

    @property
    def id(self) -> str:
        """Unique to the fact, and the same whenever it is told again."""
        return f"{self.copy.id}-{self.number}"


class Teller(ABC):
    """What one provider tells its account's webhook.

    Must not remember anything: the same event is told in the same words after a restart.
    """

    batch_max: int = 1
    """Most events in one post."""
    time_limit_s: float = 10.0
    """How long the receiver may take to answer."""

    def __init__(self, name: str, url: str | None) -> None:
        self.name = name
        """The face's."""
        self.url = url
        """Where it posts; None: nowhere."""

    def opening(self, copy: Copy) -> str:
        """What all entries of this copy begin with: made once, where a face cares for speed."""
        del copy
        return ""

    @abstractmethod
    def tell(self, event: Event) -> str | None:
        """The provider's words for it; None when it tells nobody of such a thing."""

    @abstractmethod
    def post(self, entries: Sequence[str], at: float) -> Post:
        """One request that tells these entries, at most `batch_max`, proved and stamped `at`."""

    @abstractmethod
    def reissued(self, entry: str, round_: int) -> str:
        """The same fact under a new event id; the same entry where the provider gives no ids."""

    @abstractmethod
    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """The same mails said to have bounced, in a post that does not prove its origin.

        `true` is the post of the true story, whose proof a forger may have seen.
        """

    def is_heard(self, status: int) -> bool:
        """Whether this answer ends the telling; other answers make the provider repeat."""
        return 200 <= status < 300

    def is_final(self, status: int) -> bool:
        """Whether the provider never repeats after this answer, although it was not heard."""
        del status
        return False
