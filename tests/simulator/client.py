"""What tests need to know of a provider to use any face: `clients/<provider>.py` has a `CLIENT`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.rig import Answer, MailReceiver, Received, Receiver, Running


def base_url(running: Running) -> str:
    """Where the API of the face `mine` is."""
    return f"{running.url}/mine"


def smtp_url(running: Running) -> str:
    """Where a face without an API is reached."""
    return f"smtp://127.0.0.1:{running.simulator.smtp_port}"


Entry = Mapping[str, Any]
"""The face's entry in `simulator.json`."""


@dataclass(frozen=True)
class Client:
    """An account's owner."""

    send: Callable[[str, Entry, Sequence[str]], Answer]
    """Mails these addresses in one call to this URL, each with its `handover` id."""
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
    url: Callable[[Running], str] = base_url
    """Where it sends."""
    receiver: Callable[[], Receiver | MailReceiver] = Receiver
    """What takes the webhooks."""
