"""Asks a provider's management interface as the commands do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from postroom.providers.account_api import AccountApi, asked
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS
from tests.scripted_api import ScriptedApi

T = TypeVar("T")


def ask(
    provider: str,
    at: ScriptedApi,
    question: Callable[[AccountApi, Account], Awaitable[T]],
    **settings: str,
) -> T:
    """The answer to one question about an account of this provider, at this address."""
    make = PROVIDERS[provider].make_account_api
    assert make is not None, f"{provider} has no interface for accounts"
    account = Account(1, "main", provider, False, {"endpoint": at.url} | settings)

    async def conversation() -> T:
        api = make()
        try:
            return await asked(question(api, account))
        finally:
            await api.close()

    return asyncio.run(conversation())
