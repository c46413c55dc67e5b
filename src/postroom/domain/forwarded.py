"""Whose request it is that a proxy passed on: the nearest address that no proxy of ours has."""

import ipaddress
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a list with commas between; ValueError names what is none."""
    return tuple(ipaddress.ip_network(one.strip()) for one in text.split(","))


def reader_address(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """The address that stands behind our proxies.

    `peer` is who is connected, `forwarded_for` the value of X-Forwarded-For. Each proxy adds on the
    right whom it was connected to, so only what our own have added is believed.
    """
    hops = [peer, *(hop.strip() for hop in reversed(forwarded_for.split(",")) if hop.strip())]
    reader = peer
    for hop in hops:
        address = _address(hop)
        if address is None:
            break
        reader = str(address)
        if not _is_in(address, proxies):
            break
    return reader


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: _Address, proxies: Iterable[Network]) -> bool:
    return any(address in network for network in proxies)
