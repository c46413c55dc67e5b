"""What happens when a file system is really full, where the run has one of its own.

Unlike in `disk`, what was set aside before can still be written: PostgreSQL goes on until it needs
another page or another segment of its log. So mails may be acknowledged for a while, and then they
must be there in the end.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from tests.faults.clients import Acknowledged, NotNow
from tests.faults.mails import Mail, more_mails
from tests.faults.scene import Scene

_PIECES = (1 << 20, 4096)
_TRIES_MAX = 300
_AGAIN_AFTER_S = 0.2
_NO = {"http": {503}, "smtp": {451, 454}}
"""Who cannot even be known is answered 454 at AUTH."""
_KIND = "disk full: the file system (tmpfs)"


def file_system_full(scene: Scene) -> None:
    """Something else takes all room there is, until both doors have said that they take nothing."""
    disk = scene.place.disk
    if disk is None:
        print(f"{_KIND}: not possible here, nothing can be mounted", flush=True)
        return
    supply = {door: iter(_probes(scene, door)) for door in _NO}
    for _ in scene.moments("file system full", scene.seldom):
        with (
            scene.fault(_KIND, breaks_calls=True),
            _filled(disk),
            ThreadPoolExecutor(len(_NO)) as pool,
        ):
            ends = [pool.submit(_until_refused, scene, door, supply[door]) for door in _NO]
        for end in ends:
            scene.clients.submit_one(end.result())


def _probes(scene: Scene, door: str) -> list[Mail]:
    return more_mails(door, f"room{door}", scene.seed, (_TRIES_MAX + 1) * scene.seldom)


def _until_refused(scene: Scene, door: str, supply: Iterator[Mail]) -> Mail:
    """The mail that was refused at last; those before it were taken, and count like all others."""
    for mail in islice(supply, _TRIES_MAX):
        begun_at = datetime.now(UTC)
        try:
            id = scene.clients.try_once(mail)
        except NotNow as later:
            if set(later.args) & _NO[door]:
                return mail
        else:
            scene.clients.acknowledged.append(
                Acknowledged(mail, id, begun_at, datetime.now(UTC), 1)
            )
        scene.pause(_AGAIN_AFTER_S)
    scene.clients.strange.append(f"nobody said {_NO[door]} by {door} while the disk was full")
    return next(supply)


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            for size in _PIECES:
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))
        yield
    finally:
        ballast.unlink()
