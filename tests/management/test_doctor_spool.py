"""The doctor tells what waits on this machine's disk, also while there is no database."""

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool import Spool
from postroom.management import doctor, embedded
from postroom.management.commands import doctor as command
from postroom.management.doctor import Level


@pytest.fixture
def spool(data: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    one = Spool(data / "spool", 1024**2)
    monkeypatch.setattr(doctor, "spool", lambda: one)
    return one


def findings() -> list[doctor.Finding]:
    return list(doctor._spool())


def test_an_empty_spool_is_well(spool: Spool) -> None:
    [found] = findings()
    assert (found.level, found.said) == (Level.OK, "No notification waits for the database.")


def test_what_waits_is_told_with_its_size_and_since_when(spool: Spool) -> None:
    spool.append(NewReceipt(1, datetime.now(UTC), {}, b"[]"))
    [found] = findings()
    assert found.level is Level.NOTE
    assert found.said.startswith("0.0 of 256 MiB: notifications wait for the database since 20")


def test_a_spool_that_is_nearly_full_and_what_was_set_aside_want_a_person(
    spool: Spool, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "POSTROOM_SPOOL_BYTES_MAX", 10)
    spool.append(NewReceipt(1, datetime.now(UTC), {}, b"[]"))
    (data / "spool" / "x.left").touch()
    assert [found.level for found in findings()] == [Level.MISSING, Level.MISSING]


def test_a_database_that_does_not_come_up_hides_nothing_of_the_spool(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*, any_release: bool) -> None:
        raise embedded.DatabaseUnavailable("it does not answer")

    monkeypatch.setattr(command, "ledger_open", away)
    spool.append(NewReceipt(1, datetime.now(UTC), {}, b"[]"))
    assert command.run(Namespace(json=False, about=[])) == 1
    said = capsys.readouterr().out
    assert "notifications wait for the database since" in said
    assert "it does not answer" in said
