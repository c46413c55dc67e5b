"""Characters that have no place in an address or a header: controls, and those that only hide."""

import re
import unicodedata

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BIDI_FORMATTING = re.compile("[\u202a-\u202e\u2066-\u2069]")

# Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties.txt) without the joiners
# U+200C and U+200D, and the Braille blank, which is drawn as nothing.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = "\u200c\u200d"
_VISIBLE_CATEGORIES = "LMNPS"


def first_control(text: str) -> str | None:
    """The first control character, line separator or lone surrogate; None when there is none."""
    found = _CONTROL.search(text)
    return found[0] if found else None


def first_bidi_formatting(text: str) -> str | None:
    """The first character that re-orders the text after it (embedding, override, isolate)."""
    found = _BIDI_FORMATTING.search(text)
    return found[0] if found else None


def first_invisible(text: str) -> str | None:
    """The first character that is not drawn, or re-orders others; joiners are not counted."""
    found = _INVISIBLE.search(text)
    return found[0] if found else None


def first_not_visible(text: str) -> str | None:
    """The first non-ASCII character that is no letter, mark, digit, punctuation or symbol.

    Stricter than `first_invisible`: joiners, spaces, private use and unassigned ones count too.
    """
    return next((char for char in text if not char.isascii() and not _is_visible(char)), None)


def _is_visible(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in _VISIBLE_CATEGORIES and not _INVISIBLE.match(char)


def describe(char: str) -> str:
    """Words for a character that cannot be shown, such as "a line break (U+000A)"."""
    return f"{_kind(char)} (U+{ord(char):04X})"


def _kind(char: str) -> str:
    if char in "\r\n\x85\u2028\u2029":
        return "a line break"
    if char == "\x00":
        return "a NUL"
    if _CONTROL.match(char):
        return "a lone surrogate" if "\ud800" <= char <= "\udfff" else "a control character"
    if char in _JOINERS or _INVISIBLE.match(char):
        return "an invisible character"
    return "a character"
