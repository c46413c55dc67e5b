"""Encoded words: text beyond ASCII in a header (RFC 2047)."""

import base64
import binascii
import re
from itertools import groupby

_WORD = r"=\?[A-Za-z0-9_.:-]+(?:\*[A-Za-z0-9-]*)?\?[BbQq]\?[!->@-~]*\?="
_RUN = re.compile(rf"{_WORD}(?:[ \t]+{_WORD})*")
_PARTS = re.compile(r"=\?([^?*]+)(?:\*[^?]*)?\?(.)\?([^?]*)\?=")

# A word has at most 75 characters (section 2). "=?utf-8?b?" and "?=" take 12 of them, which
# leaves 60 characters of base64 in whole groups of four.
_BYTES_PER_WORD = 45


def encode(text: str) -> str:
    """The text as encoded words with a space between them: ASCII without line breaks."""
    return " ".join(
        f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?=" for piece in _pieces(text)
    )


def _pieces(text: str) -> list[bytes]:
    """The UTF-8 bytes in pieces that each hold whole characters (section 5)."""
    pieces = [b""]
    for char in text:
        encoded = char.encode()
        if len(pieces[-1]) + len(encoded) > _BYTES_PER_WORD:
            pieces.append(b"")
        pieces[-1] += encoded
    return pieces


def decode(text: str) -> str:
    """The text with its encoded words read; those that cannot be read stay as written (6.3).

    The result may hold any character, line breaks too: check it after decoding.
    """
    return _RUN.sub(lambda run: _decode_run(run[0]), text)


def without_encoded_words(text: str) -> str:
    """What stands beside the encoded words."""
    return _RUN.sub("", text)


def _decode_run(run: str) -> str:
    """Adjacent words of one charset are joined before decoding: some senders split characters."""
    words = [(charset.lower(), kind.lower(), body) for charset, kind, body in _PARTS.findall(run)]
    try:
        return "".join(
            b"".join(_decode_body(kind, body) for _, kind, body in group).decode(charset)
            for charset, group in groupby(words, key=lambda word: word[0])
        )
    except (ValueError, LookupError):
        return run


def _decode_body(kind: str, body: str) -> bytes:
    if kind == "b":
        return binascii.a2b_base64(body + "==")
    return binascii.a2b_qp(body, header=True)
