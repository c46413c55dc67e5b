"""Account settings that stay outside the database: from the environment, or from secret files."""

import re
from collections.abc import Iterable

from django.conf import settings


def settings_of(account: str, accounts: Iterable[str]) -> dict[str, str]:
    """What the environment sets for one of the accounts, by the names of its settings.

    Where names begin alike the longer one goes before: MAIN_EU_API_KEY is the `api_key` of
    `main-eu`, and only without such an account the `eu_api_key` of `main`.
    """
    start = _start(account)
    nearer = tuple(one for one in map(_start, accounts) if one.startswith(start) and one != start)
    return {
        rest.removeprefix(start).lower(): value
        for rest, value in settings.POSTROOM_ACCOUNT_SETTINGS.items()
        if rest.startswith(start) and not rest.startswith(nearer)
    }


def strays(accounts: Iterable[str]) -> list[str]:
    """The ends of the variables that fit none of these accounts."""
    starts = tuple(map(_start, accounts))
    return sorted(
        rest for rest in settings.POSTROOM_ACCOUNT_SETTINGS if not rest.startswith(starts)
    )


def _start(account: str) -> str:
    return re.sub("[^A-Z0-9]", "_", account.upper()) + "_"
