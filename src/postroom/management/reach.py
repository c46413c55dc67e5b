"""What another system user can reach, and a place for what it cannot reach where it is."""

import os
import pwd
import stat
from pathlib import Path

STATE = Path("/var/lib/postroom")


def state_directory() -> Path:
    """Gives `STATE`, made when missing, so that everybody may pass through it."""
    try:
        STATE.mkdir(parents=True)
    except FileExistsError:
        return STATE  # with the mode that its owner has given it
    STATE.chmod(0o755)  # whatever our umask says
    return STATE


def reaches(user: pwd.struct_passwd, place: Path) -> bool:
    """Whether that user may pass through every directory above `place`."""
    return all(_may_pass(user, parent.stat()) for parent in place.resolve().parents)


def _may_pass(user: pwd.struct_passwd, status: os.stat_result) -> bool:
    if status.st_uid == user.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
