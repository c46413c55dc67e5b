"""The link that somebody follows in a mail."""

import re
from collections.abc import Sequence

_LINK = re.compile(r"https?://[^\s\"'<>)]+")


def first_link(texts: Sequence[str]) -> str | None:
    """The first link of the last part, which is the HTML one; None when there is none."""
    found = _LINK.search(texts[-1])
    return found.group() if found else None
