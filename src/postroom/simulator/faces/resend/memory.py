"""What the vendor remembers of calls: answers by idempotency key for 24 hours, and the mails.

resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-24. Forgotten when the simulator
ends.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from postroom.simulator.copies import Copy
from postroom.simulator.faces.resend.errors import AT_WORK, KEY_LENGTH, OTHER_BODY, Flaw

LIFETIME_S = 86_400.0
KEY_CHARS_MAX = 256
MAILS_MAX = 1_000
"""Mails that can be asked for; the oldest are forgotten first."""


@dataclass(slots=True)
class _Known:
    digest: bytes
    until: float
    answer: Mapping[str, Any] | None = None
    """None while the call is at work."""


class Keys:
    """Idempotency keys, with the calls that they stand for."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def flaw(self, key: str, call: bytes) -> Flaw | None:
        """Why this call cannot be made under the key; None when it can, or was answered before."""
        self._forget_old()
        if not 0 < len(key) <= KEY_CHARS_MAX:
            return KEY_LENGTH
        known = self._known.get(key)
        if known is None:
            return None
        if known.digest != sha256(call).digest():
            return OTHER_BODY
        return AT_WORK if known.answer is None else None

    def answer(self, key: str) -> Mapping[str, Any] | None:
        """What the call under this key was answered; None when there was none."""
        known = self._known.get(key)
        return known.answer if known else None

    def begin(self, key: str, call: bytes) -> None:
        """The call under this key is at work."""
        self._known[key] = _Known(sha256(call).digest(), time.time() + LIFETIME_S)

    def end(self, key: str, answer: Mapping[str, Any] | None) -> None:
        """The call took mail and was answered so; None: it took none, and its key is free."""
        if answer is None:
            del self._known[key]
        else:
            self._known[key].answer = answer

    def _forget_old(self) -> None:
        now = time.time()
        while self._known and next(iter(self._known.values())).until < now:
            self._known.popitem(last=False)


class Mails:
    """Mails by id, for whoever asks what became of one."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Mapping[str, Any], Copy]] = OrderedDict()

    def keep(self, mail: Mapping[str, Any], copy: Copy) -> None:
        """The mail as it was asked for, without its attachments, and its first copy."""
        told = {name: value for name, value in mail.items() if name != "attachments"}
        self._known[copy.message_id] = (told, copy)
        if len(self._known) > MAILS_MAX:
            self._known.popitem(last=False)

    def find(self, message_id: str) -> tuple[Mapping[str, Any], Copy] | None:
        """The mail of this id and its first copy."""
        return self._known.get(message_id)
