"""AWS Signature Version 4: proves to an Amazon service who calls it, with the standard library.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html, read 2026-11-24. The
keys themselves never travel; a signature is good for one request and some minutes.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Keys:
    """The credentials of one Amazon identity, for one service in one region."""

    id: str
    secret: str = field(repr=False)
    region: str
    service: str
    token: str | None = field(default=None, repr=False)
    """Goes with temporary credentials only."""

    @classmethod
    def of(cls, settings: Mapping[str, str], service: str) -> "Keys":
        """The keys that an account's settings name."""
        return cls(
            settings.get("access_key_id", ""),
            settings.get("secret_access_key", ""),
            settings.get("region", ""),
            service,
            settings.get("session_token") or None,
        )


def signed(
    keys: Keys, method: str, url: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> dict[str, str]:
    """The headers to send: those given, the host, the time (aware UTC) and the signature."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    own = {"Host": urlsplit(url).netloc, "X-Amz-Date": stamp}
    if keys.token:
        own["X-Amz-Security-Token"] = keys.token
    whole = {**headers, **own}
    canonical, names = canonical_request(method, url, whole.items(), body)
    scope = f"{stamp[:8]}/{keys.region}/{keys.service}/aws4_request"
    digest = sha256(canonical.encode()).hexdigest()
    to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}"
    key = _signing_key(keys.secret, stamp[:8], keys.region, keys.service)
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    whole["Authorization"] = (
        f"{_ALGORITHM} Credential={keys.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return whole


def canonical_request(
    method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes
) -> tuple[str, str]:
    """The request in the one form that both sides hash, and the names of its signed headers."""
    parts = urlsplit(url)
    lines, names = _canonical_headers(headers)
    path = quote(parts.path or "/", safe=f"/{_UNRESERVED}")
    query = _canonical_query(parts.query)
    digest = sha256(body).hexdigest()
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}", names


def _canonical_headers(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """A line for each name, values of one name joined in their order; and the names."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    lines = (f"{name}:{','.join(values[name])}\n" for name in sorted(values))
    return "".join(lines), ";".join(sorted(values))


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    coded = (
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in pairs
    )
    return "&".join(f"{name}={value}" for name, value in sorted(coded))


@lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The day's key: the secret, narrowed to one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
