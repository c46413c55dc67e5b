"""What `simulator.json` says of a relay."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from postroom.simulator.posting import SMTP_SCHEME

RELAY, RECEIVER = "relay", "receiver"


@dataclass(frozen=True, slots=True)
class Settings:
    """One relay."""

    smtp_user: str
    smtp_password: str = field(repr=False)
    webhook_url: str | None = None
    """`smtp://HOST:PORT`: the door to which mail for any envelope sender comes back."""
    kind: str = RELAY
    """`relay` takes mail first and reports later. `receiver` is the recipients' own server, which
    says at once what a relay would hear from it."""

    def __post_init__(self) -> None:
        """Raises ValueError for a door that is none and for another kind."""
        if self.webhook_url is not None and urlsplit(self.webhook_url).scheme != SMTP_SCHEME:
            raise ValueError("the webhook_url of a relay is smtp://HOST:PORT")
        if self.kind not in {RELAY, RECEIVER}:
            raise ValueError(f"the kind of a relay is {RELAY} or {RECEIVER}")
