"""Mail addresses: read, brought to one form, compared (RFC 5321 4.1.2, RFC 5322 3.4, RFC 6531).

What is decided here beyond the grammar:

- The domain is kept as A-labels in lower case (IDNA 2008 after the mapping of UTS 46, not
  transitional). It needs a dot, and a last label that is not all digits; address literals
  (`[192.0.2.1]`), underscores and a dot at the end are refused: no public mail goes there.
- The local part keeps its case, is composed (NFC), and loses quotes it does not need, for
  `"a"@example.com` and `a@example.com` are one mailbox. Dots in a row, which some carriers
  once handed out, must be quoted as the grammar asks: `"a..b"@example.com`.
- Controls, line breaks and characters that only hide or re-order others are refused, never
  removed: what cannot be seen must not decide where a mail goes.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import idna

from postroom.domain import encoded_word
from postroom.domain.characters import (
    describe,
    first_bidi_formatting,
    first_control,
    first_invisible,
    first_not_visible,
)

LOCAL_OCTETS_MAX = 64
"""RFC 5321 4.5.3.1.1."""
DOMAIN_OCTETS_MAX = 253
"""RFC 5321 4.5.3.1.2 says 255; the 255 octets of RFC 1035 3.1 are 253 when written as text."""
ADDRESS_OCTETS_MAX = 254
"""RFC 5321 4.5.3.1.3: a path has 256 octets, and two of them are the angle brackets."""
LABEL_OCTETS_MAX = 63
"""RFC 1035 2.3.4."""
NAME_CHARS_MAX = 256
"""Display names; ours: far beyond what a mail program shows, and a header stays a few lines."""
MAILBOX_CHARS_MAX = 2_000
"""A mailbox as written; ours: room for the longest name in encoded words and the address."""

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_ATEXT_UTF8 = rf"\x80-\U0010ffff{_ATEXT}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"([{_ATEXT}]+(?:\.[{_ATEXT}]+)*)@((?:{_LABEL}\.)+[A-Za-z]{{2,63}})")
_DOT_STRING = re.compile(rf"[{_ATEXT_UTF8}]+(?:\.[{_ATEXT_UTF8}]+)*")
_NOT_ATEXT = re.compile(rf"[^{_ATEXT_UTF8}.]")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_QUOTED_STRING = re.compile(_QUOTED)
_QUOTED_ADDRESS = re.compile(rf"({_QUOTED})@(.*)")
_QUOTED_PAIR = re.compile(r"\\(.)")
_NEEDS_QUOTED_PAIR = re.compile(r'(["\\])')
_LDH_LABEL = re.compile(_LABEL)

_NAME_ADDR = re.compile(
    rf'(?P<name>(?:{_QUOTED}|[^"<>])*)<(?P<spec>(?:{_QUOTED}|[^"<>])*)>(?:[ \t]*\([^()\\<>]*\))?'
)
_ADDR_WITH_COMMENT = re.compile(
    rf'(?P<spec>(?:{_QUOTED}|[^"<>() \t])+)[ \t]*\((?P<name>[^()\\<>]*)\)'
)
_NAME_PIECE = re.compile(rf'({_QUOTED})|([^"]+)')
_NAME_SPECIALS = re.compile(r"[,;:@\[\]\\]")
_NAME_WORDS = re.compile(rf"[{_ATEXT}]+(?: [{_ATEXT}]+)*")


class AddressError(ValueError):
    """The text is no address that mail can be sent to; the message is a sentence that says why.

    It never holds the address itself, so that it may be logged.
    """


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its one form; `parse_address` makes it."""

    local: str
    """As it stands in the envelope: composed (NFC), quoted only where it has to be."""
    domain: str
    """A-labels in lower case."""

    @property
    def spec(self) -> str:
        """`local@domain` as the envelope carries it."""
        return f"{self.local}@{self.domain}"

    @property
    def smtputf8(self) -> bool:
        """Whether the receiving side must know SMTPUTF8 (RFC 6531)."""
        return not self.local.isascii()


def parse_address(text: str) -> Address:
    """The address in an addr-spec; spaces around it are let go. Raises AddressError."""
    text = text.strip(" \t")
    plain = _PLAIN.fullmatch(text) if len(text) <= ADDRESS_OCTETS_MAX else None
    if plain is not None and plain.end(1) <= LOCAL_OCTETS_MAX:
        domain = plain[2].lower()
        if "xn--" not in domain:
            return Address(plain[1], domain)
    return _parse_unusual(text)


def _parse_unusual(text: str) -> Address:
    """What the pattern of the plain address does not settle: the rare, the long and the wrong."""
    _refuse(first_control(text), "The address")
    if len(text) > ADDRESS_OCTETS_MAX:
        raise AddressError(f"The address has more than {ADDRESS_OCTETS_MAX} characters.")
    local_text, domain_text = _split(text)
    address = Address(_parse_local(local_text), parse_domain(domain_text))
    if len(address.spec.encode()) > ADDRESS_OCTETS_MAX:
        raise AddressError(f"The address has more than {ADDRESS_OCTETS_MAX} octets.")
    return address


def _split(text: str) -> tuple[str, str]:
    """Local part as written, and domain."""
    if not text:
        raise AddressError("The address is empty.")
    quoted = _QUOTED_ADDRESS.fullmatch(text)
    if quoted is not None:
        return quoted[1], quoted[2]
    if "<" in text or ">" in text:
        raise AddressError(
            "This is not of the form local@domain nor, where a name is taken, "
            '"Name" <local@domain>.'
        )
    local, at, domain = text.partition("@")
    if not at:
        raise AddressError("The address has no @.")
    if "@" in domain:
        raise AddressError("The address has more than one @; only a quoted local part may hold it.")
    return local, domain


def _parse_local(text: str) -> str:
    """The local part in its one form."""
    quoted = _QUOTED_STRING.fullmatch(text) is not None
    content = _QUOTED_PAIR.sub(r"\1", text[1:-1]) if quoted else text
    content = unicodedata.normalize("NFC", content)
    _refuse(first_not_visible(content), "The local part")
    if not content:
        raise AddressError("There is nothing before the @.")
    if unicodedata.category(content[0]).startswith("M"):
        raise AddressError("The local part begins with a combining mark.")
    local = content if _DOT_STRING.fullmatch(content) else _quote(content)
    if local != content and not quoted:
        raise AddressError(_why_quotes_are_needed(content))
    if len(local.encode()) > LOCAL_OCTETS_MAX:
        raise AddressError(f"The local part has more than {LOCAL_OCTETS_MAX} octets.")
    return local


def _why_quotes_are_needed(content: str) -> str:
    special = _NOT_ATEXT.search(content)
    if special is not None:
        what = "a space" if special[0] == " " else special[0]
        return f"The local part has {what} in it, which is allowed only inside quotes."
    where = "in a row"
    if content.startswith(".") or content.endswith("."):
        where = "at the begin or end"
    return (
        f"The local part has dots {where}; where a carrier really gave out such an address, "
        'write it in quotes, like "a..b"@example.com.'
    )


def parse_domain(text: str) -> str:
    """The domain as A-labels in lower case. Raises AddressError."""
    if text.startswith("["):
        raise AddressError("Address literals in square brackets are not accepted; name a domain.")
    if len(text) > DOMAIN_OCTETS_MAX:
        raise AddressError(f"The domain has more than {DOMAIN_OCTETS_MAX} characters.")
    name = text.lower() if text.isascii() else _mapped(text)
    labels = [_a_label(label) for label in _labels(name)]
    if len(labels) == 1:
        raise AddressError("The domain has no dot: a full domain is needed, like example.com.")
    if labels[-1].isdigit():
        raise AddressError("The last part of the domain is a number; this is no domain name.")
    domain = ".".join(labels)
    if len(domain) > DOMAIN_OCTETS_MAX:
        raise AddressError(f"The domain has more than {DOMAIN_OCTETS_MAX} octets.")
    return domain


def _mapped(text: str) -> str:
    """The domain after the mapping of UTS 46, which among others drops what is invisible."""
    _refuse(first_control(text) or first_invisible(text), "The domain")
    try:
        return idna.uts46_remap(text, std3_rules=False, transitional=False)
    except UnicodeError as error:
        raise AddressError("The domain has a character that domains cannot have.") from error


def _labels(name: str) -> list[str]:
    if not name:
        raise AddressError("There is nothing after the @.")
    if name.endswith("."):
        raise AddressError("The domain ends with a dot; leave the dot away.")
    labels = name.split(".")
    if "" in labels:
        raise AddressError("The domain begins with a dot or has two dots in a row.")
    return labels


def _a_label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        return _checked_ldh(label)
    try:
        encoded = idna.alabel(_u_label(label)).decode("ascii")
    except UnicodeError as error:
        raise AddressError("The domain is no valid internationalized domain name.") from error
    if label.isascii() and encoded != label:
        raise AddressError("The domain has an xn-- part that is not in its one valid form.")
    return encoded


def _checked_ldh(label: str) -> str:
    """The label, when it is made of letters, digits and hyphens (RFC 5321 4.1.2)."""
    if len(label) > LABEL_OCTETS_MAX:
        raise AddressError(f"A part of the domain has more than {LABEL_OCTETS_MAX} characters.")
    if _LDH_LABEL.fullmatch(label):
        return label
    if label.startswith("-") or label.endswith("-"):
        raise AddressError("A part of the domain begins or ends with a hyphen.")
    if "_" in label:
        raise AddressError("The domain has an underscore, which mail domains cannot have.")
    raise AddressError("The domain has a character that domains cannot have.")


def _u_label(label: str) -> str:
    return idna.ulabel(label) if label.startswith("xn--") else label


def suppression_key(address: Address | str) -> str:
    """What two addresses share when they are taken for one mailbox. Raises AddressError.

    Folds the case of both sides, as practically every receiver does: by lower case, not by full
    case folding, which would make `ß` and `ss` one mailbox and cost a person their mail. Never
    merges plus-addresses or dots: only some receivers do.
    """
    if isinstance(address, str):
        address = parse_address(address)
    if address.local.isascii():
        return address.spec.lower()
    folded = unicodedata.normalize("NFC", address.local).lower()
    return f"{unicodedata.normalize('NFC', folded)}@{address.domain}"


def is_allowed_domain(domain: str, allowed: Iterable[str]) -> bool:
    """Whether a rule allows the domain: `example.com` that one, `.example.com` all below it.

    Both sides are in the form that `parse_domain` gives; a rule that names none allows nothing.
    """
    return any(
        domain == rule or (rule.startswith(".") and domain.endswith(rule)) for rule in allowed
    )


def parse_mailbox(text: str) -> tuple[str | None, Address]:
    """Display name, if any, and address of `Name <a@b>`, `a@b` or `a@b (Name)`.

    A header field must be unfolded before. Raises AddressError, also for a name that holds
    what a name must not (see `parse_name`).
    """
    text = text.strip(" \t")
    _refuse(first_control(text.replace("\t", " ")), "The mailbox")
    if len(text) > MAILBOX_CHARS_MAX:
        raise AddressError(f"The mailbox has more than {MAILBOX_CHARS_MAX} characters.")
    named = _NAME_ADDR.fullmatch(text)
    if named is not None:
        return parse_name(_phrase_text(named["name"])), parse_address(named["spec"])
    commented = _ADDR_WITH_COMMENT.fullmatch(text)
    if commented is not None:
        return parse_name(encoded_word.decode(commented["name"])), parse_address(commented["spec"])
    return None, parse_address(text)


def _phrase_text(phrase: str) -> str:
    """The words of a display name, without quotes and with encoded words read.

    Comments are kept as written: people who write `Acme (Support) <a@b>` mean all of it.
    """
    return " ".join(
        _QUOTED_PAIR.sub(r"\1", piece[1][1:-1]) if piece[1] else _unquoted_text(piece[2])
        for piece in _NAME_PIECE.finditer(phrase)
    )


def _unquoted_text(words: str) -> str:
    special = _NAME_SPECIALS.search(encoded_word.without_encoded_words(words))
    if special is not None:
        raise AddressError(f"The name has {special[0]} in it; put the name in quotes.")
    return encoded_word.decode(words)


def parse_name(text: str) -> str | None:
    """The display name, composed (NFC), with single spaces; None when there is none.

    Raises AddressError for controls, line breaks and characters that re-order the text.
    Joiners and the like stay: names in some scripts need them.
    """
    name = unicodedata.normalize("NFC", " ".join(re.split(r"[ \t]+", text.strip(" \t"))))
    _refuse(first_control(name) or first_bidi_formatting(name), "The name")
    if len(name) > NAME_CHARS_MAX:
        raise AddressError(f"The name has more than {NAME_CHARS_MAX} characters.")
    return name or None


def format_mailbox(name: str | None, address: Address) -> str:
    """The mailbox as the value of a header field: one line, the name in ASCII.

    The address is in ASCII too unless it is `smtputf8`. Raises AddressError as `parse_name`.
    """
    words = parse_name(name or "")
    if words is None:
        return address.spec
    if not words.isascii() or "=?" in words:
        return f"{encoded_word.encode(words)} <{address.spec}>"
    return f"{words if _NAME_WORDS.fullmatch(words) else _quote(words)} <{address.spec}>"


def _quote(content: str) -> str:
    return '"' + _NEEDS_QUOTED_PAIR.sub(r"\\\1", content) + '"'


def _refuse(char: str | None, what: str) -> None:
    if char is not None:
        raise AddressError(f"{what} has {describe(char)} in it.")
