"""User and password in a webhook's URL: all that proves a post of many providers."""

from base64 import b64encode
from urllib.parse import unquote, urlsplit


def split(url: str | None) -> tuple[dict[str, str], str | None]:
    """The header that the URL's user and password become, and the URL without them."""
    if url is None or "@" not in (parts := urlsplit(url)).netloc:
        return {}, url
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    credentials = b64encode(f"{user}:{password}".encode()).decode()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return {"Authorization": f"Basic {credentials}"}, bare
