"""What a client says by AUTH: the mechanisms PLAIN and LOGIN (RFC 4954)."""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable

from postroom.submission.smtp_path import Refused

Ask = Callable[[str], Awaitable[bytes]]
"""Sends a challenge, in base64, and gives the line that the client answers."""


async def read_login(argument: str, ask: Ask) -> tuple[str, str]:
    """Key id and secret, by the mechanism that the argument of AUTH names; raises Refused."""
    mechanism, _, initial = argument.partition(" ")
    if mechanism.upper() == "PLAIN":
        return _parted(await _said("", initial, ask))
    if mechanism.upper() == "LOGIN":
        return await _said("Username:", initial, ask), await _said("Password:", "", ask)
    raise Refused("504 5.5.4 The mechanism is PLAIN or LOGIN")


def _parted(said: str) -> tuple[str, str]:
    """Key id and secret (RFC 4616); the authorization identity before them is not used."""
    parts = said.split("\0")
    if len(parts) != 3:
        raise Refused("501 5.5.2 PLAIN is three parts with a NUL between")
    return parts[1], parts[2]


async def _said(challenge: str, initial: str, ask: Ask) -> str:
    """What the client says to a challenge, or has said in advance."""
    if not initial:
        encoded = binascii.b2a_base64(challenge.encode(), newline=False).decode()
        initial = (await ask(encoded)).strip().decode("ascii", "replace")
    if initial == "*":
        raise Refused("501 5.7.0 Cancelled")
    try:
        return b64decode("" if initial == "=" else initial, validate=True).decode()
    except ValueError:
        raise Refused("501 5.5.2 This is not base64 of UTF-8") from None
