"""A file system of its own for all that an installation keeps."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIZE_MB = 512
_MOUNT, _UMOUNT = "/usr/bin/mount", "/usr/bin/umount"


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A file system in memory that is there inside; None where nobody here may mount one."""
    with tempfile.TemporaryDirectory(prefix="postroom-disk-") as name:
        if not _is_mounted(name):
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run([_UMOUNT, name], check=True)


def _is_mounted(name: str) -> bool:
    mount = [_MOUNT, "-t", "tmpfs", "-o", f"size={_SIZE_MB}m,mode=711", "postroom-test", name]
    try:
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
