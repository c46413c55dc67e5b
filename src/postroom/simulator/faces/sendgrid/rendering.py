"""Substitution as the vendor documents it: tags in subject, content and reply-to are replaced.

Values may themselves hold tags, up to four levels deep. twilio.com/docs/sendgrid/for-developers/
sending-email/substitution-tags and the Mail Send reference, read 2026-11-24.
"""

import re
from collections.abc import Mapping, Sequence

LEVELS_MAX = 4


class Filler:
    """Texts cut at their tags once, to be filled for many recipients."""

    def __init__(self, tags: Sequence[str], texts: Sequence[str]) -> None:
        longest_first = sorted((re.escape(tag) for tag in tags if tag), key=len, reverse=True)
        self._pattern = re.compile(f"({'|'.join(longest_first)})") if longest_first else None
        self._cut = [self._pattern.split(text) if self._pattern else [text] for text in texts]

    def fill(self, values: Mapping[str, str]) -> list[str]:
        """The texts with every tag replaced by its value."""
        values = self._unnested(values)
        return [_joined(pieces, values) for pieces in self._cut]

    def _unnested(self, values: Mapping[str, str]) -> Mapping[str, str]:
        for _ in range(LEVELS_MAX):
            if not (self._pattern and self._pattern.search("\0".join(values.values()))):
                break
            cut = {tag: self._pattern.split(value) for tag, value in values.items()}
            values = {tag: _joined(pieces, values) for tag, pieces in cut.items()}
        return values


def _joined(pieces: Sequence[str], values: Mapping[str, str]) -> str:
    """Every second piece is a tag."""
    if len(pieces) == 1:
        return pieces[0]
    filled = list(pieces)
    filled[1::2] = [values[tag] for tag in pieces[1::2]]
    return "".join(filled)
