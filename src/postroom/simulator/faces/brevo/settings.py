"""What `simulator.json` says of an account at this provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """One account."""

    api_key: str = field(repr=False)
    smtp_user: str
    smtp_password: str = field(repr=False)
    webhook_url: str | None = field(default=None, repr=False)
    """May carry a user and a password, to prove a webhook's origin."""
    webhook_token: str = field(default="", repr=False)
    """Proves a webhook's origin in their place; empty: none."""
    batched: bool = False
    """Posts are arrays of up to 500 events."""
    tracking: bool = True
    """Opens and clicks; there is no such option of a mail."""
    verified_domains: tuple[str, ...] | None = None
    """Sender domains of the account; None: every domain may send."""
