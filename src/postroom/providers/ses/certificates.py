"""The certificates under which Amazon SNS signs: fetched, checked and remembered.

They are proved by where they come from: over verified TLS, from a host that only Amazon answers
for, without redirects. What is left to check is that the certificate is SNS's own and in force;
the chain behind it is that of the TLS connection.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_pem_x509_certificate
from cryptography.x509.oid import NameOID

from postroom.providers.base import Account, CannotTell, NotAuthentic, ReplyKind
from postroom.providers.http_calls import get_once

FETCH_TIMEOUT_S = 5.0
"""A notification waits for it; Amazon gives an answer 15 seconds."""
_KEPT_MAX = 64
_FAILED_S = 30.0
"""A certificate that was not to be had is not asked for again at every notification."""
_KEY_BITS_MIN = 2048
_NAME = re.compile(r"sns(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")

Value = TypeVar("Value")
Fetch = Callable[[Account, str], bytes]
"""The PEM text at an address; raises CannotTell when it is not to be had."""


class Certificates:
    """Remembers certificates by their address; safe for threads."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: OrderedDict[str, Certificate] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, account: Account, url: str, now: datetime) -> Certificate:
        """The certificate at a pinned address, in force at `now`.

        Raises CannotTell when it is not to be had, and NotAuthentic when it is none of SNS's.
        """
        with self._lock:
            certificate = self._kept.get(url)
            if certificate is None and monotonic() - self._failed.get(url, -_FAILED_S) < _FAILED_S:
                raise CannotTell("the certificate could not be fetched a moment ago")
        if certificate is None:
            certificate = self._fetched(account, url)
        _check(certificate, now)
        return certificate

    def _fetched(self, account: Account, url: str) -> Certificate:
        try:
            certificate = _loaded(self._fetch(account, url))
        except CannotTell:
            self._remember(self._failed, url, monotonic())
            raise
        self._remember(self._kept, url, certificate)
        return certificate

    def _remember(self, kept: "OrderedDict[str, Value]", url: str, value: Value) -> None:
        with self._lock:
            kept[url] = value
            while len(kept) > _KEPT_MAX:
                kept.popitem(last=False)


def fetch(account: Account, url: str) -> bytes:
    """The PEM text at an address."""
    reply = get_once(account, url, FETCH_TIMEOUT_S)
    if reply.kind is not ReplyKind.TAKEN:
        raise CannotTell(f"the certificate cannot be fetched: {reply.error or reply.status}")
    return reply.body


def public_key(certificate: Certificate) -> RSAPublicKey:
    """Its key; NotAuthentic for one that SNS would not use."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < _KEY_BITS_MIN:
        raise NotAuthentic("the certificate has no RSA key of the size that Amazon uses")
    return key


def _loaded(pem: bytes) -> Certificate:
    try:
        return load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CannotTell("what was fetched is no certificate") from error


def _check(certificate: Certificate, now: datetime) -> None:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(_NAME.fullmatch(str(name.value)) for name in names):
        raise NotAuthentic("the certificate is not Amazon SNS's own")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise NotAuthentic("the certificate is not in force")
