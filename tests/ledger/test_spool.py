"""The spool keeps what it has acknowledged, on disk and for its owner alone, within its limit."""

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from postroom.ledger import spool as module
from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool import Spool, SpoolUnavailable, remove, taken
from postroom.ledger.spool_frames import framed, frames

MIB = 1024**2


def receipt(body: bytes = b"[]", headers: Mapping[str, str] | None = None) -> NewReceipt:
    return NewReceipt(1, datetime.now(UTC), headers or {}, body)


def found(directory: Path) -> list[NewReceipt]:
    """Every receipt that can be read there, in the order of coming."""
    read = [one.item for path in directory.glob("*.spool") for one in frames(path.read_bytes())]
    receipts = [item for item in read if isinstance(item, NewReceipt)]
    return sorted(receipts, key=attrgetter("received_at"))


@given(body=some.binary(max_size=300), headers=some.dictionaries(some.text(), some.text()))
def test_a_receipt_comes_back_as_it_was(body: bytes, headers: dict[str, str]) -> None:
    one = receipt(body, headers)
    assert [frame.item for frame in frames(framed(one))] == [one]


def test_of_a_frame_that_was_cut_off_anywhere_nothing_is_read() -> None:
    first, second = receipt(b"first"), receipt(b"second")
    whole = framed(first) + framed(second)
    for end in range(len(framed(first)), len(whole)):
        assert [frame.item for frame in frames(whole[:end])] == [first]


@pytest.mark.parametrize("tail", [bytes(4096), b"PRr1" + bytes(60), b"\xff" * 60])
def test_what_a_crash_leaves_behind_the_last_frame_is_no_receipt(tail: bytes) -> None:
    one = receipt()
    [frame] = frames(framed(one) + tail)
    assert (frame.item, frame.end) == (one, len(framed(one)))


@given(at=some.integers(min_value=0), bit=some.integers(min_value=0, max_value=7))
def test_a_frame_of_which_one_bit_has_changed_is_not_read(at: int, bit: int) -> None:
    changed = bytearray(framed(receipt(b"told")))
    changed[at % len(changed)] ^= 1 << bit
    assert list(frames(bytes(changed))) == []


def test_nobody_else_may_read_what_is_spooled(data: Path) -> None:
    Spool(data / "spool", MIB).append(receipt())
    [path] = (data / "spool").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_receipt_and_its_name_are_on_disk_before_it_is_acknowledged(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", fsync)
    one = Spool(data / "spool", MIB)
    one.append(receipt())
    [path] = (data / "spool").iterdir()
    assert synced == [path.parent, data, path]
    one.append(receipt())
    assert synced[3:] == [path]


def test_a_full_spool_takes_nothing_more_and_keeps_what_it_has(data: Path) -> None:
    first = receipt()
    one = Spool(data / "spool", len(framed(first)) + 10)
    one.append(first)
    with pytest.raises(SpoolUnavailable):
        one.append(receipt())
    assert found(data / "spool") == [first]


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Writing beyond that fails in the middle, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_breaks_off_is_not_acknowledged_and_hides_nothing_written_later(
    data: Path,
) -> None:
    one = Spool(data / "spool", MIB)
    first, later = receipt(b"first"), receipt(b"later")
    one.append(first)
    with files_of_at_most(len(framed(first)) + 7), pytest.raises(SpoolUnavailable):
        one.append(receipt(os.urandom(100)))
    one.append(later)
    assert found(data / "spool") == [first, later]
    assert one.held().size_bytes == len(framed(first)) + len(framed(later))


def test_a_disk_on_which_nothing_can_be_written_collects_no_empty_files(data: Path) -> None:
    one = Spool(data / "spool", MIB)
    with files_of_at_most(3):
        for _ in range(3):
            with pytest.raises(SpoolUnavailable):
                one.append(receipt())
    assert list((data / "spool").iterdir()) == []


def test_a_failed_fsync_is_not_acknowledged_and_its_file_gets_no_more(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Spool(data / "spool", MIB)
    one.append(receipt(b"first"))

    def fsync(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", fsync)
        with pytest.raises(SpoolUnavailable):
            one.append(receipt(b"second"))
    one.append(receipt(b"third"))
    assert [each.body for each in found(data / "spool")] == [b"first", b"third"]
    assert len(one.waiting()) == 2


def test_the_file_of_a_living_process_is_its_own_and_a_dead_ones_is_anybodys(data: Path) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from postroom.ledger.intake import NewReceipt\n"
        "from postroom.ledger.spool import Spool\n"
        "one = Spool(Path(sys.argv[1]), 10**6)\n"
        "one.append(NewReceipt(1, datetime.now(UTC), {}, b'told'))\n"
        "print('spooled', flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(data / "spool")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"spooled\n"
    [path] = Spool(data / "spool", MIB).waiting()
    with taken(path) as content:
        assert content is None
    other.kill()
    other.communicate()
    with taken(path) as content:
        assert content is not None
        [only] = [one.item for one in frames(content)]
        assert isinstance(only, NewReceipt)
        assert only.body == b"told"
        with taken(path) as twice:
            assert twice is None


def test_a_file_that_another_has_just_stored_and_removed_is_nobodys(data: Path) -> None:
    one = Spool(data / "spool", MIB)
    one.append(receipt())
    one.close()
    [path] = one.waiting()
    with taken(path) as content:
        assert content
        remove(path, b"")
        with taken(path) as gone:
            assert gone is None


def test_a_complete_file_is_left_to_others_while_the_next_is_written(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILE_BYTES_MAX", 1)
    one = Spool(data / "spool", MIB)
    told = [receipt(b"first"), receipt(b"second")]
    for each in told:
        one.append(each)
    assert len(one.waiting()) == 2
    assert found(data / "spool") == told


def test_what_is_held_counts_all_files_and_tells_since_when(data: Path) -> None:
    one = Spool(data / "spool", MIB)
    assert one.held() == module.Held(0, None, 0)
    began = datetime.now(UTC)
    one.append(receipt())
    one.close()
    one.append(receipt())
    held = one.held()
    assert held.size_bytes == sum(path.stat().st_size for path in (data / "spool").iterdir())
    assert held.oldest_at is not None
    assert abs((held.oldest_at - began).total_seconds()) < 5
