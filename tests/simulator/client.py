"""What tests need to know of a provider to use any face: `clients/<provider>.py` has a `CLIENT`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.rig import Answer, Received

Entry = Mapping[str, Any]
"""The face's entry in `simulator.json`."""


@dataclass(frozen=True)
class Client:
    """An account's owner."""

    send: Callable[[str, Entry, Sequence[str]], Answer]
    """Mails these addresses in one call to this base URL, each with its `handover` id."""
    is_proved: Callable[[Received, Entry], bool]
    """Whether a webhook proves its origin, checked by other code than the simulator's."""
    userinfo: str = ""
    """User and password in the webhook's URL, as `user:password@`."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What this provider's entry must say besides."""
    busy: int = 503
    """The answer to a webhook after which this provider tries again."""
    handover: Callable[[str], str | None] = "h-{}".format
    """The hand-over id that travels with a mail to this address; None where none can."""
