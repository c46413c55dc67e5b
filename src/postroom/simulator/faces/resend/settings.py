"""What `simulator.json` says of an account at this provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """One account, which the vendor calls a team."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    """`whsec_` and base64; webhooks are signed with it."""
    webhook_url: str | None = field(default=None, repr=False)
    verified_domains: tuple[str, ...] | None = None
    """From domains of the account; None: every domain may send."""
    tracking: bool = True
    """Opens and clicks: a setting of the domain, and no option of a mail."""
