"""Whether a caller knows the account's key."""

import hmac


def knows_key(authorization: str | None, api_key: str) -> bool:
    """True for `Bearer <key>`; compared in constant time. None: no header came."""
    given = (authorization or "").encode(errors="surrogateescape")
    return hmac.compare_digest(given, f"Bearer {api_key}".encode())
