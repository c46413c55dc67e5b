"""The page about the simulator names everything that there is."""

from dataclasses import fields
from pathlib import Path

from postroom.simulator.addresses import MAGIC
from postroom.simulator.mischief import Mischief

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()


def test_every_magic_address_is_described() -> None:
    assert [name for name in MAGIC if f"`{name}`" not in PAGE] == []


def test_every_mischief_is_described() -> None:
    assert [each.name for each in fields(Mischief) if f"`{each.name}`" not in PAGE] == []
