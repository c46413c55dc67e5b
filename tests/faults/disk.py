"""A disk that takes nothing more: for PostgreSQL, and for the spool of the web role.

The limit on file sizes (RLIMIT_FSIZE) does it: at 0 every write to a file fails, whatever the
file, and no privilege is needed for processes of one's own. PostgreSQL ignores its signal so that
the limit works as a full disk does: the next commit cannot write its log, and the server is down
until there is room again. It is also what a read-only data directory does.
"""

import smtplib
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import cycle
from pathlib import Path

from tests.faults.clients import ANSWER_S_MAX, NotNow, transaction
from tests.faults.killer import children, parent, postmaster
from tests.faults.mails import Mail, more_mails
from tests.faults.scene import Scene
from tests.helpers import eventually

_SAY_NO_S_MAX = 60.0
_AGAIN_AFTER_S = 0.3
_PRLIMIT = "/usr/bin/prlimit"
"""Of util-linux."""


def disk_full(scene: Scene) -> None:
    """Nothing can be committed, and the doors say so: 503 and 451, never 202 or 250.

    By turns for PostgreSQL alone, and for the web role too: it has no spool then, and no log.
    """
    if not Path(_PRLIMIT).exists():
        print(f"disk full: not possible here, there is no {_PRLIMIT}", flush=True)
        return
    probes = zip(*(_probes(scene, door) for door in ("http", "smtp")), strict=True)
    for _, pair, (name, processes) in zip(
        scene.moments("disk full", scene.seldom), probes, cycle(_FULL.items()), strict=False
    ):
        with (
            _logged_in(scene) as client,
            scene.fault(name, breaks_calls=True),
            _no_room(processes(scene)),
        ):
            _until_both_say_no(scene, client, *pair)
        for probe in pair:
            scene.clients.submit_one(probe)


def _probes(scene: Scene, door: str) -> list[Mail]:
    return more_mails(door, f"full{door}", scene.seed, scene.seldom)


def _server(scene: Scene) -> Iterator[int]:
    """Whoever starts the server, which does so again when it has ended, and all of the server."""
    for pid in postmaster(scene.installation):
        yield from _with_descendants(parent(pid))


def _server_and_web(scene: Scene) -> Iterator[int]:
    yield from _server(scene)
    for pid in scene.place.role_pids("web"):
        yield from _with_descendants(pid)


_FULL: dict[str, Callable[[Scene], Iterator[int]]] = {
    "disk full: database, spool and logs": _server_and_web,
    "disk full: the database": _server,
}


def _with_descendants(pid: int) -> Iterator[int]:
    """Parents first: what they start afterwards has their limit already."""
    yield pid
    for child in children(pid):
        yield from _with_descendants(child)


@contextmanager
def _no_room(pids: Iterable[int]) -> Iterator[None]:
    limited = []
    try:
        for pid in pids:
            limited.append(pid)
            _limit(pid, "0")
        yield
    finally:
        for pid in limited:
            for each in _with_descendants(pid):
                _limit(each, "unlimited")


def _limit(pid: int, size: str) -> None:
    """Sets the limit of one process, as its own user: for that nobody needs a privilege."""
    with suppress(FileNotFoundError):  # it has ended
        owner = Path(f"/proc/{pid}").stat()
        subprocess.run(
            [_PRLIMIT, f"--pid={pid}", f"--fsize={size}:unlimited"],
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[owner.st_gid],
            capture_output=True,
            check=False,  # whoever has ended by now writes nothing any more
        )


@contextmanager
def _logged_in(scene: Scene) -> Iterator[smtplib.SMTP]:
    """A session from before the trouble: where nobody can be known, AUTH already says 454."""
    client = eventually(lambda: _try_to_log_in(scene), _SAY_NO_S_MAX, every_s=_AGAIN_AFTER_S)
    assert client is not None
    try:
        yield client
    finally:
        client.close()


def _try_to_log_in(scene: Scene) -> smtplib.SMTP | None:
    """None while another fault is in the way."""
    try:
        client = smtplib.SMTP("127.0.0.1", scene.installation.smtp_port, timeout=ANSWER_S_MAX)
    except (OSError, smtplib.SMTPException):
        return None
    try:
        client.login(*scene.clients.login)
    except (OSError, smtplib.SMTPException):
        client.close()
        return None
    return client


def _until_both_say_no(scene: Scene, client: smtplib.SMTP, by_http: Mail, by_smtp: Mail) -> None:
    tries: dict[int, Callable[[], object]] = {
        503: lambda: scene.clients.ask_to_take(by_http),
        451: lambda: transaction(client, by_smtp),
    }
    with ThreadPoolExecutor(len(tries)) as pool:
        said = dict(zip(tries, pool.map(partial(_says, scene), tries.values(), tries), strict=True))
    missing = [no for no, was_said in said.items() if not was_said]
    scene.clients.strange += [f"nobody said {no} while the disk was full" for no in missing]


def _says(scene: Scene, submit: Callable[[], object], no: int) -> bool:
    """Whether it said so in time; until then a connection may break off, or nobody answers."""
    for _ in range(int(_SAY_NO_S_MAX / _AGAIN_AFTER_S)):
        if _says_no(scene, submit, no):
            return True
        scene.pause(_AGAIN_AFTER_S)
    return False


def _says_no(scene: Scene, submit: Callable[[], object], no: int) -> bool:
    try:
        answer = submit()
    except NotNow as later:
        return later.args == (no,)
    scene.clients.strange.append(f"acknowledged while the disk was full: {answer}")
    return True
