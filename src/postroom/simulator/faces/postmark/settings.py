"""What `simulator.json` says of an account at this provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """One account, which the vendor calls a server."""

    server_token: str = field(repr=False)
    """For HTTP, and both user and password on SMTP."""
    server_id: int = 1234
    webhook_url: str | None = field(default=None, repr=False)
    """The user and password in it are all that proves a webhook's origin."""
    verified_domains: tuple[str, ...] | None = None
    """From domains of the account; None: every domain may send."""
    streams: tuple[str, ...] = ("outbound", "broadcast")
    """Message streams that there are."""
