"""The name of a communication: the occasion for which mail is sent, and the name of its report."""

import re

NAME_PATTERN = r"^(?!\.+\Z)[a-z0-9._-]{1,100}\Z"
"""Not only dots: as the segment of a path `.` and `..` mean another place (RFC 3986, 5.2.4)."""
_NAME = re.compile(NAME_PATTERN)
_ONLY_DOTS = re.compile(r"\.{1,100}")


def communication_name(text: str) -> str:
    """The name itself; raises ValueError, with what is wrong, for what is no such name."""
    if _ONLY_DOTS.fullmatch(text):
        raise ValueError("is only dots, which cannot stand in the address of a report")
    if not _NAME.fullmatch(text):
        raise ValueError("is not 1 to 100 of a-z, 0-9, `.`, `_`, `-`")
    return text
