"""One provider account of the simulator: its HTTP API, its SMTP interface, and what it tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from postroom.simulator.http_door import House, HttpDoor
from postroom.simulator.smtp_mail import SmtpRoad
from postroom.simulator.teller import Teller


class SettingsError(ValueError):
    """The settings of a face cannot be used."""


@dataclass(frozen=True, slots=True)
class Face:
    """What one entry of `faces` in `simulator.json` becomes."""

    teller: Teller
    door: Callable[[House], HttpDoor] | None = field(default=None, repr=False)
    """None: this provider has no HTTP API."""
    smtp: SmtpRoad | None = field(default=None, repr=False)
    """None: this provider has no SMTP interface, or none is simulated."""

    @property
    def name(self) -> str:
        """Of the entry; paths begin with it."""
        return self.teller.name


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of face; each module of `postroom.simulator.faces` has one as `PROVIDER`."""

    settings: type[Any]
    """A frozen dataclass of what an entry may say; `webhook_url` is always one of its fields."""
    open: Callable[[str, Any], Face]
    """The face of this name and these settings; raises ValueError for a key that is none."""
    new: Callable[[], dict[str, Any]]
    """Credentials and keys, made up, for a new entry."""

    def face(self, name: str, entry: Mapping[str, Any]) -> Face:
        """The face that the entry describes; raises SettingsError and says what is wrong."""
        known = {each.name for each in fields(self.settings)}
        if unknown := entry.keys() - known:
            raise SettingsError(f"{name} has unknown settings {', '.join(sorted(unknown))}")
        values = {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
        try:
            return self.open(name, self.settings(**values))
        except (TypeError, ValueError) as error:
            raise SettingsError(f"{name}: {error}") from error
