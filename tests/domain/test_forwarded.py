"""The address behind our proxies, and never one that somebody only says he has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.forwarded import networks, reader_address

PROXIES = networks("10.0.0.0/8, 2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "reader"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.7, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.7, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", "2001:470::1", "2001:470::1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "192.0.2.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_added_is_believed(
    peer: str, forwarded_for: str, reader: str
) -> None:
    assert reader_address(peer, forwarded_for, PROXIES) == reader


@given(st.text())
def test_any_header_is_answered(header: str) -> None:
    assert reader_address("203.0.113.9", header, PROXIES) == "203.0.113.9"
    assert reader_address("10.0.0.1", header, PROXIES)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        networks("10.0.0.0/8, nowhere")
