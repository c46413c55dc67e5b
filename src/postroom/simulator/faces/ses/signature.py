"""Signature Version 4 as the service checks it.

docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html, read 2026-11-24.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

SKEW_S_MAX = 300
_FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<scope>(?P<date>\d{8})/(?P<region>[^/]+)/"
    r"(?P<service>[^/]+)/aws4_request), ?SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<hex>\w+)"
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your"
    " AWS Secret Access Key and signing method. Consult the service documentation for details."
)


class UnsignedError(Exception):
    """The call does not prove its caller; `name` is the vendor's error."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys of the account."""

    id: str
    secret: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a request is signed."""

    method: str
    path: str
    """With its query, as it came."""
    headers: Mapping[str, str]
    """By lower-case names."""
    body: bytes


def check(keys: Credentials, service: str, request: Signed, now: datetime) -> None:
    """Nothing; raises UnsignedError."""
    found = _FORM.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise UnsignedError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if found["id"] != keys.id:
        text = "The security token included in the request is invalid."
        raise UnsignedError("UnrecognizedClientException", text)
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp, now)
    expected = _signature(keys.secret, found, stamp, request)
    rightful = (found["region"], found["service"]) == (keys.region, service)
    if not (rightful and hmac.compare_digest(expected, found["hex"])):
        raise UnsignedError("InvalidSignatureException", _MISMATCH)


def _check_time(stamp: str, now: datetime) -> None:
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        text = "Date must be in ISO-8601 'basic format'."
        raise UnsignedError("IncompleteSignatureException", text) from error
    if abs((now - at).total_seconds()) > SKEW_S_MAX:
        edge = now.strftime("%Y%m%dT%H%M%SZ")
        late = at < now
        text = f"Signature {'expired' if late else 'not yet current'}: {stamp} is now" + (
            f" earlier than {edge}" if late else f" later than {edge}"
        )
        raise UnsignedError("InvalidSignatureException", text)


def _signature(secret: str, found: re.Match[str], stamp: str, request: Signed) -> str:
    canonical = hashlib.sha256(_canonical(request, found["names"]).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (found["date"], found["region"], found["service"], "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{found['scope']}\n{canonical}"
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical(request: Signed, names: str) -> str:
    path, _, query = request.path.partition("?")
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    lines = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names.split(";")
    )
    digest = hashlib.sha256(request.body).hexdigest()
    written = "&".join(f"{name}={value}" for name, value in pairs)
    return "\n".join([request.method, quote(path, safe="/-_.~"), written, lines, names, digest])
