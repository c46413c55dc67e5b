"""Bodies that somebody broke, cut or blew up, at every provider: no traceback and no invention."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.management.decode import READABLE
from postroom.providers import told
from postroom.providers.base import Heard, Unreadable
from tests.providers import saying
from tests.providers.event_checks import check

FIXTURES = Path(__file__).parent / "fixtures"
PROVIDERS = sorted(saying.SAYING)
WHOLE = {
    provider: [
        *(file.read_bytes() for file in sorted((FIXTURES / provider).iterdir())),
        saying.body(provider, "jo@example.com", "550 5.1.1 no such user"),
    ]
    for provider in PROVIDERS
}
ANYTHING = st.sampled_from([(name, body) for name in PROVIDERS for body in WHOLE[name]])
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def said(body: bytes) -> str:
    """All that the bytes can mean, in lower case: plain, JSON, JSON inside JSON, and a form."""
    plain = body.decode("utf-8", "replace")
    once = _ESCAPED.sub(_unescaped, plain)
    ways = (plain, once, _ESCAPED.sub(_unescaped, once), unquote_plus(plain))
    return told.storable("\n".join(ways)).lower()


def _unescaped(found: re.Match[str]) -> str:
    short = found[1]
    return chr(int(short[1:], 16)) if len(short) == 5 else _SHORT.get(short, short)


def heard_in(provider: str, body: bytes) -> list[Heard]:
    """The events of the body, each sound and said; none of one that cannot be read."""
    try:
        heard = list(READABLE[provider].parse({}, body))
    except Unreadable:
        return []
    everything = said(body)
    for one in heard:
        check(one, provider)
        for fact in facts(one):
            assert fact.lower() in everything
    return heard


def facts(heard: Heard) -> Iterator[str]:
    """What an event may not say unless the bytes do."""
    codes = (heard.reply_code, heard.enhanced_code, heard.handover_id)
    yield from (str(code) for code in codes if code is not None)
    texts = (heard.recipient, heard.occurred_raw, heard.provider_message_id, heard.url)
    yield from filter(None, texts)


@given(st.sampled_from(PROVIDERS), st.binary(max_size=300))
def test_noise_is_read_or_unreadable(provider: str, noise: bytes) -> None:
    heard_in(provider, noise)


@given(ANYTHING, st.data())
def test_a_body_that_was_cut_or_mended_says_nothing_of_its_own(
    whole: tuple[str, bytes], data: st.DataObject
) -> None:
    provider, body = whole
    start = data.draw(st.integers(0, len(body)))
    length = data.draw(st.integers(0, 40))
    noise = data.draw(st.binary(max_size=20) | st.sampled_from([b'"', b"{", b"[", b"null", b"\\u"]))
    heard_in(provider, body[:start] + noise + body[start + length :])


@given(ANYTHING, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=5))
def test_a_body_with_changed_bytes_says_nothing_of_its_own(
    whole: tuple[str, bytes], changes: list[tuple[int, int]]
) -> None:
    provider, body = whole
    broken = bytearray(body)
    for place, value in changes:
        broken[place % len(broken)] = value
    heard_in(provider, bytes(broken))


@given(st.sampled_from(PROVIDERS), ANYTHING)
def test_another_provider_s_body_says_nothing_of_its_own(
    provider: str, whole: tuple[str, bytes]
) -> None:
    heard_in(provider, whole[1])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_beginning_of_a_body_is_read_or_unreadable(provider: str) -> None:
    for body in WHOLE[provider]:
        for end in range(0, len(body), max(1, len(body) // 200)):
            heard_in(provider, body[:end])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("piece", ["a", "\\", "5.1.1 ", "<@", "550-", "\n "])
def test_ten_megabytes_of_words_are_one_event(provider: str, piece: str) -> None:
    words = "550 5.1.1 " + piece * (10_000_000 // len(piece))
    body = saying.body(provider, "jo@example.com", words)
    (heard,) = READABLE[provider].parse({}, body)
    check(heard, provider)
    assert (heard.recipient, heard.enhanced_code) == ("jo@example.com", "5.1.1")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("piece", [b" ", b"[", b'{"a":', b'{"event":[', b"\xff", b'"', b"--a\r\n"])
def test_ten_megabytes_of_nothing_are_read_or_unreadable(provider: str, piece: bytes) -> None:
    heard_in(provider, piece * (10_000_000 // len(piece)))
