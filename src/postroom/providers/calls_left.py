"""Whether an answer says that it was the last one for now, so that the next need not be refused.

Vendors tell how many calls are left, and when there are new ones, with every answer: SendGrid and
Mailgun by X-RateLimit-Remaining, Brevo by x-sib-ratelimit-remaining, Resend by ratelimit-remaining
(their pages on rate limits, read 2026-11-24). When the new ones come each says in its own way.
"""

from collections.abc import Mapping

_REMAINING = ("x-ratelimit-remaining", "x-sib-ratelimit-remaining", "ratelimit-remaining")


def none_left(headers: Mapping[str, str]) -> bool:
    """Whether no call is left; `headers` have lower-case names."""
    return any(headers.get(name, "").strip() == "0" for name in _REMAINING)
