"""Whether the records that a sender domain needs are published."""

import asyncio
import socket

import pytest
from django.test import override_settings

from postroom.management import dns
from postroom.providers.account_api import DnsRecord, Purpose
from tests.fake_dns import fake_dns

CNAME = DnsRecord(Purpose.RETURN_PATH, "CNAME", "em.example.com", "u7.WL.sendgrid.net")
TXT = DnsRecord(Purpose.DKIM, "TXT", "a._domainkey.example.com", "k=rsa; p=" + "A" * 300)
MX = DnsRecord(Purpose.RETURN_PATH, "MX", "bounce.example.com", "10 feedback.example.net")
DMARC = dns.dmarc_record("example.com")

ZONE = {
    ("em.example.com", "CNAME"): ["u7.wl.sendgrid.net."],
    ("a._domainkey.example.com", "TXT"): [f'"k=rsa;" " p={"A" * 200}" "{"A" * 100}"', '"other"'],
    ("bounce.example.com", "MX"): ["10 feedback.example.net."],
    ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:d@example.com"'],
}


def stand(resolver: str, *records: DnsRecord) -> list[bool | None]:
    with override_settings(POSTROOM_DNS=resolver):
        found = asyncio.run(dns.stand(records))
    return [found[record] for record in records]


def test_a_record_stands_however_it_is_cut_spaced_and_cased() -> None:
    with fake_dns(ZONE) as resolver:
        assert stand(resolver, CNAME, TXT, MX, DMARC) == [True] * 4


@pytest.mark.parametrize("record", [CNAME, TXT, MX, DMARC])
def test_a_record_that_is_missing_or_another_does_not_stand(record: DnsRecord) -> None:
    with fake_dns({}) as resolver:
        assert stand(resolver, record) == [False]
    other = '"v=spf1 -all"' if record.type == "TXT" else "10 x." if record.type == "MX" else "x."
    with fake_dns({(record.host, record.type): [other]}) as resolver:
        assert stand(resolver, record) == [False]
    with fake_dns({(record.host, "A"): ["127.0.0.1"]}) as resolver:
        assert stand(resolver, record) == [False]


def test_without_a_resolver_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "TIMEOUT_S", 0.2)
    assert stand("off", CNAME) == [None]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        assert stand(f"127.0.0.1:{port}", CNAME) == [None]
