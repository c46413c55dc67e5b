"""What must hold for the events of every provider, whatever it is told."""

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from postroom.domain.reason import read
from postroom.providers.base import Heard, Receiver

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
"""What a field of JSON can hold."""

UNREADABLE = (
    b"",
    b" ",
    b"[",
    b"[1,",
    b"[] x",
    b"[{]",
    b"\xff\xfe[]",
    b"{",
    b'{"event":"delivered"} {}',
    b"[" * 100_000,
    b'{"event":' * 50_000,
)
"""Bodies that no provider of JSON can have written."""


def objects(names: Iterable[str], words: Iterable[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these fields, whose values are anything or one of these words."""
    values = VALUES | st.sampled_from(sorted(words))
    return st.dictionaries(st.sampled_from(sorted(names)), values, max_size=12)


def heard_in(receiver: Receiver, told: Any) -> list[Heard]:
    """The events of a body that says this in JSON."""
    return list(receiver.parse({}, json.dumps(told).encode()))


def check(heard: Heard, provider: str) -> None:
    """It can be stored and read, whatever was told."""
    read(heard, provider)
    for text in (heard.recipient, heard.diagnostic, heard.occurred_raw, heard.provider_class):
        assert "\x00" not in (text or "")
        (text or "").encode()


def slices(receiver: Receiver, body: bytes) -> list[Any]:
    """What stands at the place of each event."""
    found = receiver.parse({}, body)
    return [json.loads(body[one.start : one.start + (one.length or len(body))]) for one in found]
