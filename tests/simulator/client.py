"""What tests need to know of a provider to use any face: `clients/<provider>.py` has a `CLIENT`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulator.rig import Answer, Received

Entry = Mapping[str, Any]
"""The face's entry in `simulator.json`."""


@dataclass(frozen=True)
class Client:
    """An account's owner."""

    send: Callable[[str, Entry, Sequence[str]], Answer]
    """Mails these addresses in one call to this base URL, each with hand-over id `h-<address>`."""
    is_proved: Callable[[Received, Entry], bool]
    """Whether a webhook proves its origin, checked by other code than the simulator's."""
    userinfo: str = ""
    """User and password in the webhook's URL, as `user:password@`."""
    carries_handover: bool = True
    """Whether the sender's own id travels with a mail at this provider."""
