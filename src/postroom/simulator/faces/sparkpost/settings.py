"""What `simulator.json` says of an account at this provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """One account."""

    api_key: str = field(repr=False)
    """For HTTP, and the password on SMTP."""
    webhook_url: str | None = field(default=None, repr=False)
    """The user and password in it are all that proves a webhook's origin, unless a token does."""
    webhook_token: str = field(default="", repr=False)
    """As an OAuth 2.0 server would have given it; empty: none."""
    verified_domains: tuple[str, ...] | None = None
    """Sending domains of the account; None: every domain may send."""
