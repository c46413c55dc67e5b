"""What `simulator.json` says of an account at this provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """One account and its sending domains."""

    api_key: str = field(repr=False)
    """Password of the user `api`."""
    webhook_signing_key: str = field(repr=False)
    smtp_user: str
    smtp_password: str = field(repr=False)
    webhook_url: str | None = None
    domains: tuple[str, ...] | None = None
    """Sending domains of the account, which stand in the path; None: every domain."""
