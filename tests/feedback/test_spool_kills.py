"""Real processes, killed at any moment: what was acknowledged is stored once, sooner or later."""

import os
import random
import signal
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path

import psycopg
import pytest

from postroom.ledger.blobs import decompress
from postroom.ledger.ids import uuid7
from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool_frames import framed
from postroom.management import embedded
from tests.helpers import eventually
from tests.installation import Installation

TELLERS = 8


@dataclass
class Provider:
    """Tells numbered notifications, and remembers which of them were acknowledged."""

    url: str
    acknowledged: set[int] = field(default_factory=set)
    _next: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self) -> bool:
        """Whether the next notification was acknowledged."""
        with self._lock:
            number = next(self._next)
        request = urllib.request.Request(self.url, data=b'{"number": %d}' % number)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30):
                self.acknowledged.add(number)
                return True
        except urllib.error.HTTPError as refused:
            refused.close()
        except (OSError, HTTPException):  # nobody is there, or died in the middle
            pass
        return False

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Several connections tell all the while inside."""
        enough = threading.Event()

        def tell_on() -> None:
            while not enough.is_set():
                if not self.tell():
                    enough.wait(0.05)

        with ThreadPoolExecutor(TELLERS) as pool:
            ends = [pool.submit(tell_on) for _ in range(TELLERS)]
            try:
                yield
            finally:
                enough.set()
        for end in ends:
            end.result()

    def wait_for_more(self, count: int) -> None:
        """Until so many more were acknowledged."""
        goal = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= goal, within_s=60)


@pytest.fixture
def provider(installation: Installation) -> Provider:
    """A provider that every web worker knows."""
    made = installation.cli(
        "account", "add", "main", "--provider", "mailjet", "--set", "api_key=x",
        "--set", "api_secret=x",
    )  # fmt: skip
    [secret] = {word.rsplit("/", 1)[1] for word in made.split() if "/feedback/main/" in word}
    one = Provider(f"http://127.0.0.1:{installation.http_port}/feedback/main/{secret}")
    eventually(lambda: all(one.tell() for _ in range(40)), within_s=30)
    return one


@contextmanager
def without_database(installation: Installation) -> Iterator[None]:
    """The server is killed, and nobody starts it again inside."""
    keeper = next(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _command(entry)[2:] == [_KEEPER, str(installation.data)]
    )
    os.kill(keeper, signal.SIGSTOP)
    try:
        kill_server(installation)
        yield
    finally:
        os.kill(keeper, signal.SIGCONT)


_KEEPER = "postroom.management.keeper"


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []  # it has just ended


def kill_server(installation: Installation) -> None:
    os.kill(embedded.server_pid(installation.data), signal.SIGKILL)


def kill_web(installation: Installation) -> None:
    """The role with all its workers."""
    pid = eventually(lambda: installation.role_pid("web"), within_s=60)
    assert pid is not None
    with suppress(ProcessLookupError):  # it has not become a group yet, or died by itself
        os.killpg(pid, signal.SIGKILL)


def spooled(installation: Installation) -> list[Path]:
    return list((installation.data / "spool").glob("*.spool"))


def stored(installation: Installation, account: str) -> list[bytes]:
    """The bodies of all receipts of the account."""
    with psycopg.connect(embedded.dsn(installation.data)) as conn:
        rows = conn.execute(
            "SELECT zlib FROM receipt JOIN account ON account.id = account_id WHERE name = %s",
            (account,),
        )
        return [decompress(kept) for (kept,) in rows]


def assert_each_is_stored_once(installation: Installation, provider: Provider) -> None:
    """What was acknowledged is there once; what was not, at most once: it was told once."""
    eventually(lambda: not spooled(installation), within_s=60)
    times = Counter(stored(installation, "main"))
    expected = {b'{"number": %d}' % number for number in provider.acknowledged}
    assert expected - times.keys() == set()
    assert [body for body, count in times.items() if count > 1] == []


def test_what_was_acknowledged_without_a_database_outlives_the_web_role(
    installation: Installation, provider: Provider
) -> None:
    with without_database(installation):
        with provider.telling():
            provider.wait_for_more(300)
            kill_web(installation)
        assert spooled(installation)
    assert_each_is_stored_once(installation, provider)


def test_a_database_that_is_killed_under_load_loses_no_acknowledged_notification(
    installation: Installation, provider: Provider
) -> None:
    with provider.telling():
        for _ in range(3):
            kill_server(installation)
            provider.wait_for_more(300)
            eventually(lambda: not spooled(installation), within_s=60)
        kill_web(installation)
        provider.wait_for_more(100)
    assert_each_is_stored_once(installation, provider)


RECEIPTS, FILES = 100, 60


@pytest.fixture
def many(data: Path) -> Sequence[Path]:
    """Files of the spool, with receipts of the account with the number 1."""
    began = datetime.now(UTC)
    files = [data / f"{uuid7(began + timedelta(seconds=n))}.spool" for n in range(FILES)]
    for n, path in enumerate(files):
        bodies = [b'{"number": %d}' % (RECEIPTS * n + more) for more in range(RECEIPTS)]
        path.write_bytes(b"".join(framed(NewReceipt(1, began, {}, body)) for body in bodies))
    return files


def wait_until_stored(installation: Installation, goal: int) -> None:
    """Until so many files are left, or fewer."""
    eventually(lambda: len(spooled(installation)) <= goal, within_s=60, every_s=0.001)


def test_a_web_role_that_is_killed_while_it_stores_stores_everything_once(
    many: Sequence[Path], installation: Installation
) -> None:
    dice = random.Random(4)
    (installation.data / "spool").mkdir(mode=0o700, exist_ok=True)
    for path in reversed(many):
        path.rename(installation.data / "spool" / path.name)
    for _ in range(3):
        goal = len(spooled(installation)) - dice.randrange(1, 6)
        wait_until_stored(installation, goal)
        kill_web(installation)
    assert spooled(installation)
    eventually(lambda: not spooled(installation), within_s=60)
    times = Counter(stored(installation, "simulator"))
    assert set(times.values()) == {1}
    assert len(times) == RECEIPTS * FILES
