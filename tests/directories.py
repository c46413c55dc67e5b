"""Directories for the data of installations and servers under test."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postroom.management import cluster, embedded


@contextmanager
def data_directory(below: Path | None = None) -> Iterator[Path]:
    """An empty POSTROOM_DATA with a short path that the server's user can reach."""
    data = Path(tempfile.mkdtemp(prefix="postroom-test-", dir=below))
    data.chmod(0o711)
    try:
        yield data
        assert embedded.wait_until_stopped(data, within_s=30)
    finally:
        remove(data)


def remove(data: Path) -> None:
    """Removes the data, and the socket's directory where that had to be elsewhere."""
    if not cluster.sockets(data).is_relative_to(data):
        cluster.sockets(data).rmdir()
    shutil.rmtree(data)
