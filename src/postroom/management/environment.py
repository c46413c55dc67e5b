"""Reads single values from the environment, and keeps the table of all that may be set."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class ConfigurationError(Exception):
    """A setting is missing or unusable; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table of settings."""

    name: str
    default: str
    """As one would write it in the environment; empty: unset."""
    unit: str
    reason: str
    """Where the value comes from, or what "unset" means."""
    is_secret: bool = False
    """Whether `NAME_FILE` may name a file that holds it."""


class Environment:
    """The variables of one process: each value is read once, checked, and put on the table."""

    def __init__(self, variables: dict[str, str] | None = None) -> None:
        self._variables = dict(os.environ) if variables is None else variables
        self.table: list[Setting] = []

    def text(self, name: str, default: str, unit: str, reason: str) -> str:
        """Gives the value as written."""
        return self._read(name, default, unit, reason, str) or default

    def text_or_unset(self, name: str, unit: str, reason: str) -> str | None:
        """Gives the value as written; None where it is unset."""
        return self._read(name, None, unit, reason, str)

    def secret(self, name: str, unit: str, reason: str) -> str | None:
        """Gives the value, or the content of the file that `NAME_FILE` names."""
        self.table.append(Setting(name, "", unit, reason, is_secret=True))
        return self._secret(name)

    def secrets(self, start: str, shown: str, unit: str, reason: str) -> Mapping[str, str]:
        """Gives every secret whose name begins so, by the rest of its name.

        `shown` stands for them all on the table.
        """
        self.table.append(Setting(shown, "", unit, reason, is_secret=True))
        set_ones = (name for name, value in self._variables.items() if value)
        names = {name.removesuffix("_FILE") for name in set_ones if name.startswith(start)}
        found = {name.removeprefix(start): self._secret(name) for name in names}
        return {rest: value for rest, value in found.items() if value is not None}

    def _secret(self, name: str) -> str | None:
        value = self._variables.get(name) or None
        file = self._variables.get(f"{name}_FILE")
        if file is None or file == "":
            return value
        if value is not None:
            raise ConfigurationError(f"{name} and {name}_FILE are both set; unset one of them.")
        return _content(f"{name}_FILE", Path(file))

    def file(self, name: str, unit: str, reason: str) -> str | None:
        """Gives the path of a file that exists; None where it is unset."""
        return self._read(name, None, unit, reason, _existing_file)

    def port(self, name: str, default: int, reason: str) -> int:
        """Gives a TCP port."""
        value = self._read(name, str(default), "port", reason, _port)
        return default if value is None else value

    def port_or_unset(self, name: str, reason: str) -> int | None:
        """Gives a TCP port; None where it is unset."""
        return self._read(name, None, "port", reason, _port)

    def whole(self, name: str, default: int, unit: str, reason: str, least: int = 1) -> int:
        """Gives a whole number of at least `least`."""
        value = self._read(name, str(default), unit, reason, _whole_from(least))
        return default if value is None else value

    def whole_or_unset(self, name: str, unit: str, reason: str, least: int = 1) -> int | None:
        """Gives a whole number of at least `least`; None where it is unset."""
        return self._read(name, None, unit, reason, _whole_from(least))

    def seconds(self, name: str, default: float, reason: str) -> float:
        """Gives a duration in seconds, above zero."""
        value = self._read(name, f"{default:g}", "seconds", reason, _seconds)
        return default if value is None else value

    def _read(
        self, name: str, default: str | None, unit: str, reason: str, turn: Callable[[str], T]
    ) -> T | None:
        self.table.append(Setting(name, default or "", unit, reason))
        written = self._variables.get(name) or default
        if written is None:
            return None
        try:
            return turn(written)
        except ValueError as error:
            raise ConfigurationError(f"{name}={written!r} cannot be used: {error}.") from None


def is_endpoint(written: str) -> bool:
    """Whether it is written ADDRESS:PORT, with an IP address."""
    host, _, port = written.rpartition(":")
    try:
        ip_address(host.strip("[]"))
        _port(port)
    except ValueError:
        return False
    return True


def _whole_from(least: int) -> Callable[[str], int]:
    def turn(written: str) -> int:
        if not written.isascii() or not written.isdigit():
            raise ValueError("it must be a whole number")
        if int(written) < least:
            raise ValueError(f"it must be at least {least}")
        return int(written)

    return turn


def _port(written: str) -> int:
    number = _whole_from(1)(written)
    if number > 65_535:
        raise ValueError("a port is at most 65535")
    return number


def _existing_file(written: str) -> str:
    if not Path(written).is_file():
        raise ValueError("there is no such file")
    return written


def _seconds(written: str) -> float:
    try:
        value = float(written)
    except ValueError:
        raise ValueError("it must be a number of seconds") from None
    if not 0 < value < 10**9:
        raise ValueError("it must be a number of seconds above zero")
    return value


def _content(name: str, file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{name}: cannot read {file}: {error.strerror}.") from None
    if content == "":
        raise ConfigurationError(f"{name}: {file} is empty.")
    return content
