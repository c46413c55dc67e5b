"""A resolver on a loopback port that knows what a test tells it; real DNS messages (RFC 1035)."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], list[str]]
"""(name, type) to values, in the form of a zone file."""


@contextmanager
def fake_dns(zone: Zone) -> Iterator[str]:
    """A running resolver; its ADDRESS:PORT."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.05)
        ended = threading.Event()
        thread = threading.Thread(target=_serve, args=(udp, zone, ended), name="fake-dns")
        thread.start()
        try:
            yield f"127.0.0.1:{udp.getsockname()[1]}"
        finally:
            ended.set()
            thread.join(10)


def _serve(udp: socket.socket, zone: Zone, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            asked, peer = udp.recvfrom(4096)
        except TimeoutError:
            continue
        udp.sendto(_answer(dns.message.from_wire(asked), zone).to_wire(), peer)


def _answer(query: dns.message.Message, zone: Zone) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    (question,) = query.question
    name = question.name.to_text(omit_final_dot=True)
    type = dns.rdatatype.to_text(question.rdtype)
    if values := zone.get((name, type)):
        answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", type, values))
    elif name not in {known for known, _ in zone}:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer
