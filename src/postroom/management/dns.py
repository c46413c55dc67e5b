"""Whether DNS holds a record; by the machine's resolver, or the one that is set."""

import asyncio
from collections.abc import Iterable

import dns.asyncresolver
import dns.exception
import dns.resolver
from django.conf import settings

from postroom.providers.account_api import DnsRecord, Purpose

TIMEOUT_S = 5.0
AT_ONCE = 10
"""Questions under way together: a resolver is a shared thing."""

DMARC_VALUE = "v=DMARC1; p=none"
"""What a domain without a policy publishes first (RFC 7489 section 6.3)."""


def dmarc_record(domain: str) -> DnsRecord:
    """The record without which large mailbox operators refuse mail in bulk."""
    return DnsRecord(Purpose.DMARC, "TXT", f"_dmarc.{domain}", DMARC_VALUE)


async def stand(records: Iterable[DnsRecord]) -> dict[DnsRecord, bool | None]:
    """For each record, whether DNS holds it; None when nobody could be asked."""
    resolver = _resolver()
    if resolver is None:
        return dict.fromkeys(records)
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(record: DnsRecord) -> bool | None:
        async with gate:
            return await _stands(resolver, record)

    wanted = list(dict.fromkeys(records))
    return dict(zip(wanted, await asyncio.gather(*map(look, wanted)), strict=True))


async def texts(host: str) -> list[str] | None:
    """The TXT records of a name; None when nobody could be asked."""
    resolver = _resolver()
    if resolver is None:
        return None
    try:
        answer = await resolver.resolve(host, "TXT", raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return []
    except (dns.exception.DNSException, OSError, ValueError):
        return None
    return [_text("TXT", one) for one in answer.rrset or ()]


def _resolver() -> dns.asyncresolver.Resolver | None:
    """The resolver to ask; None when there is none, or none is wanted."""
    wanted = settings.POSTROOM_DNS
    if wanted == "off":
        return None
    if wanted == "system":
        try:
            resolver = dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            return None
    else:
        resolver = dns.asyncresolver.Resolver(configure=False)
        host, _, port = wanted.rpartition(":")
        resolver.nameservers, resolver.port = [host], int(port)
    resolver.lifetime = TIMEOUT_S
    return resolver


async def _stands(resolver: dns.asyncresolver.Resolver, record: DnsRecord) -> bool | None:
    try:
        answer = await resolver.resolve(record.host, record.type, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return False
    except (dns.exception.DNSException, OSError, ValueError):
        return None
    values = [_text(record.type, one) for one in answer.rrset or ()]
    if record.purpose is Purpose.DMARC:
        return any(value.lower().startswith("v=dmarc1") for value in values)
    return _plain(record.type, record.value) in (_plain(record.type, value) for value in values)


def _text(type: str, data: object) -> str:
    if type == "TXT":
        strings: Iterable[bytes] = data.strings  # type: ignore[attr-defined]
        return b"".join(strings).decode("utf-8", "replace")
    return str(data)


def _plain(type: str, value: str) -> str:
    """The value in the one form in which both sides are compared."""
    if type == "TXT":
        return "".join(value.replace('"', "").split())
    return value.lower().rstrip(".")
