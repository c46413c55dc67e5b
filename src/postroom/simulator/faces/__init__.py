"""The providers that the simulator can be: a module each, with a `PROVIDER` in it."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from postroom.simulator.face import Face, Provider, SettingsError


def provider_names() -> list[str]:
    """Every provider that has a face."""
    return sorted(module.name for module in iter_modules(__path__))


def provider(name: str) -> Provider:
    """The provider of this name; raises SettingsError when there is none."""
    if name not in provider_names():
        raise SettingsError(f"there is no face {name}; there are {', '.join(provider_names())}")
    found: Provider = import_module(f"{__name__}.{name}").PROVIDER
    return found


def open_faces(entries: Mapping[str, Mapping[str, Any]]) -> list[Face]:
    """A face for each entry; an entry's `provider` is its name unless it says otherwise.

    Raises SettingsError.
    """
    faces = []
    for name, entry in entries.items():
        settings = dict(entry)
        faces.append(provider(settings.pop("provider", name)).face(name, settings))
    return faces


def new_face_config(name: str, webhook_url: str | None = None, **settings: Any) -> dict[str, Any]:
    """An entry for `faces` in `simulator.json`: credentials and keys made up.

    `settings` are what else the entry is to say; `provider` when the entry is to be called
    otherwise than its provider.
    """
    made = provider(settings.get("provider", name)).new()
    return {**made, "webhook_url": webhook_url, **settings}
