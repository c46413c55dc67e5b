"""Which addresses a link may lead to through us, and how they stand in a Location field.

Only `http` and `https` with a host. Everything that readers of URLs take for different things is no
such address, and its link is left alone: control characters, backslashes, credentials.
"""

import re
from urllib.parse import quote

import idna

CHARS_MAX = 4_000
"""Twice what browsers of the past could; with its proof it stays below 6,000 bytes, and proxies
take 8,000."""

_ADDRESS = re.compile(
    r"(https?)://(\[[0-9A-Fa-f:.]+\]|[^\s/?#\[\]:@\\%]+)(:[0-9]{1,5})?(?=[/?#]|\Z)(.*)",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
_KEPT = "!\"#$%&'()*+,/:;<=>?@[]^`{|}~"
"""All of ASCII that may stand in the field, beside letters, digits and `-._`: nothing of it is
written otherwise than the link had it. A space is no such character."""


def location(url: str) -> str | None:
    """The address in ASCII, as a Location field has it; None when no link leads there through us.

    The host by IDNA; of the rest only what is no ASCII, and spaces, with percent signs, as a
    browser would write them. All else is as it was.
    """
    found = None if _REFUSED.search(url) or len(url) > CHARS_MAX else _ADDRESS.fullmatch(url)
    host = None if found is None else _ascii_host(found[2])
    if found is None or host is None:
        return None
    return f"{found[1]}://{host}{found[3] or ''}{quote(found[4], safe=_KEPT)}"


def _ascii_host(host: str) -> str | None:
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
