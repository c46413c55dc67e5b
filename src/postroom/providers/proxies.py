"""Answers 503 that a proxy in front of a provider gives for a call which it had passed on.

RFC 9110, section 15.6.4, says of 503 that the server cannot handle the request at present, and
providers' lists of statuses say `try again`. A proxy says 503 also where the connection to the
provider's own server broke while it waited for the answer; nobody can tell then what became of the
call. The words are those of Fastly and Varnish (https://docs.fastly.com/en/guides/common-503-errors)
and of Envoy (response flags UC and UR: https://github.com/envoyproxy/envoy/issues/6190), read
2026-11-24.
"""

_PASSED_ON = (
    b"first byte timeout",
    b"between bytes timeout",
    b"backend read error",
    b"backend fetch failed",
    b"reset reason: connection termination",
    b"reset reason: remote reset",
)
"""What they write, in lower case, when they had passed the call on or may have."""
_EXAMINED_BYTES = 4_096


def may_have_passed_on(status: int | None, body: bytes) -> bool:
    """Whether the answer is a proxy's, and the call may have been taken behind it."""
    words = body[:_EXAMINED_BYTES].lower()
    return status == 503 and any(phrase in words for phrase in _PASSED_ON)
