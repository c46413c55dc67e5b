"""Ledger calls from the event loop that wait out a database which is away."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from postroom.ledger.db import LedgerUnavailable

P = ParamSpec("P")
R = TypeVar("R")

_AGAIN_AFTER_S = 0.5


async def patiently(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What the ledger function gives, tried in a thread until the database answers.

    For functions that may be repeated: all that carry a fence or a key.
    """
    while True:
        try:
            return await asyncio.to_thread(call, *args, **kwargs)
        except LedgerUnavailable:
            await asyncio.sleep(_AGAIN_AFTER_S)
