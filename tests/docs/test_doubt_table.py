"""The page of states says of every provider what it tells, and whether it can be asked."""

import re
from pathlib import Path

from postroom.providers.registry import PROVIDERS

STATES = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_table_of_doubt_has_every_provider_as_the_registry_has_it() -> None:
    table = STATES.read_text(encoding="utf-8").partition("## In doubt")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    told = {
        name: (re.split(r"[:,]", tells)[0].strip(), asked.startswith("yes"))
        for names, tells, asked in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    known = {
        name: (str(one.tells), one.make_history is not None) for name, one in PROVIDERS.items()
    }
    assert told == known
