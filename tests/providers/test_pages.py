"""Every provider has a page that tells what it can and how to set it up."""

from pathlib import Path

import pytest

from postroom.providers.anymail.esps import ESPS
from postroom.providers.registry import PROVIDERS

PAGES = Path(__file__).parents[2] / "docs" / "providers"
SECTIONS = [
    "## What it can", "## Limits", "## How to set it up", "## Which guarantees hold",
    "## What is lost when",
]  # fmt: skip


def page_of(provider: str) -> str:
    """The provider's own page, or that of the road that it shares with others."""
    own = PAGES / f"{provider}.md"
    shared = PAGES / "anymail.md" if provider in ESPS else own
    return (own if own.exists() else shared).read_text()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_page_names_every_road_and_all_that_an_account_needs(provider: str) -> None:
    page = page_of(provider)
    names = {provider} | {name for road in PROVIDERS[provider].roads for name in road.needs}
    if (PAGES / f"{provider}.md").exists():
        names |= {road.name for road in PROVIDERS[provider].roads}
    assert sorted(name for name in names if f"`{name}`" not in page) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_page_has_all_that_such_a_page_tells(provider: str) -> None:
    page = page_of(provider)
    assert [section for section in SECTIONS if section not in page] == []
