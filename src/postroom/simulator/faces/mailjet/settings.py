"""What `simulator.json` says of an account at this provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """One account."""

    api_key: str
    """The public key; user of HTTP and SMTP."""
    api_secret: str = field(repr=False)
    webhook_url: str | None = field(default=None, repr=False)
    """The user and password in it are all that proves a webhook's origin."""
    grouped: bool = True
    """Version 2 of the Event API: posts are arrays."""
    verified_domains: tuple[str, ...] | None = None
    """From domains of the account; None: every domain may send."""
