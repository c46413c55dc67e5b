"""The simulator's settings, from a JSON file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from postroom.simulator.mischief import Mischief, MischiefError


class ConfigError(Exception):
    """The simulator's configuration cannot be used."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the simulator needs to know at start.

    `api_key`, `signing_private_key`, `webhook_url` and `verified_domains` describe the face that
    is always there, `sendgrid`.
    """

    api_key: str = field(repr=False)
    """The key of the SendGrid account, and of the control calls."""
    http_port: int
    """0: any free port."""
    smtp_port: int
    """0: any free port."""
    signing_private_key: str = field(repr=False)
    """PEM of a P-256 key; webhooks are signed with it."""
    truth_log: Path
    webhook_url: str | None = None
    """Where events are posted; None: nowhere."""
    seed: int = 1
    """Fixes the mix: the same seed gives each address the same fate."""
    silent_share: float = 0.0
    """The part of the mix that is accepted and never heard of again."""
    time_scale: float = 1.0
    """Multiplies every wait of a timeline. At 1 a deferral that the vendor keeps for 72 hours
    is given up after 4 seconds."""
    verified_domains: tuple[str, ...] | None = None
    """From domains of the account; None: every domain may send."""
    faces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """What other accounts there are, by name: see `faces.new_face_config`."""
    mischief: Mischief = field(default_factory=Mischief)
    bind: str = "127.0.0.1"
    """Loopback, unless somebody wants other machines to use the simulator."""

    def face_entries(self) -> dict[str, Mapping[str, Any]]:
        """Every face by its name."""
        sendgrid = {
            "api_key": self.api_key,
            "signing_private_key": self.signing_private_key,
            "webhook_url": self.webhook_url,
            "verified_domains": self.verified_domains,
        }
        return {"sendgrid": sendgrid, **self.faces}

    @classmethod
    def load(cls, path: Path) -> "Config":
        """Raises ConfigError and says what is wrong."""
        try:
            settings = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from error
        if not isinstance(settings, dict):
            raise ConfigError(f"{path} must hold a JSON object")
        unknown = settings.keys() - {each.name for each in fields(cls)}
        if unknown:
            raise ConfigError(f"{path}: unknown settings {', '.join(sorted(unknown))}")
        domains = settings.get("verified_domains")
        try:
            settings["mischief"] = Mischief.read(settings.get("mischief", {}))
            settings["truth_log"] = Path(settings["truth_log"])
            settings["verified_domains"] = None if domains is None else tuple(domains)
            return cls(**settings)
        except (MischiefError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}: {error}") from error
