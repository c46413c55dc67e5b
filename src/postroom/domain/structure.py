"""What the structure of a finished mail forbids to change: signatures, encryption, invitations."""

import re
from dataclasses import dataclass
from email import message_from_bytes

_PROTECTED = {
    "multipart/signed": "signed",  # RFC 1847 2.1
    "multipart/encrypted": "encrypted",  # RFC 1847 2.2
    "application/pkcs7-mime": "s/mime",  # RFC 8551 3.2
    "application/x-pkcs7-mime": "s/mime",
}
_CALENDAR = "text/calendar"
_ARMOUR = re.compile(rb"^-----BEGIN PGP (SIGNED )?MESSAGE-----", re.MULTILINE)
# Most mails name none of these anywhere, which spares them the parser.
_WORTH_PARSING = re.compile(
    rb"multipart/(signed|encrypted)|pkcs7-mime|text/calendar", re.IGNORECASE
)
_PARAMETER = r';[ \t\r\n]*{}[ \t]*=[ \t]*"?([A-Za-z0-9-]+)'
_METHOD = re.compile(_PARAMETER.format("method"), re.IGNORECASE)
_SMIME_TYPE = re.compile(_PARAMETER.format("smime-type"), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Structure:
    """What was found in any part of the mail, attached mails included."""

    signed: bool = False
    """Some part must keep its very bytes, or its signature breaks."""
    encrypted: bool = False
    calendar_method: str | None = None
    """The method of an invitation (RFC 6047 2.4), upper case; None where there is none."""
    readable: bool = True
    """False when it is nested too deeply to look into: nothing is known about the rest."""

    @property
    def may_be_rebuilt(self) -> bool:
        """Whether the mail may be taken into parts and put together again by a provider."""
        return self.readable and not (self.signed or self.encrypted or self.calendar_method)


def structure_of(data: bytes) -> Structure:
    """The structure of a mail, broken ones too; never raises for what the bytes are."""
    armour = _ARMOUR.search(data)
    if armour is not None:
        return Structure(signed=armour[1] is not None, encrypted=armour[1] is None)
    if not _WORTH_PARSING.search(data):
        return Structure()
    try:
        return structure_of_types(_content_types(data))
    except RecursionError:
        return Structure(readable=False)


def _content_types(data: bytes) -> list[str]:
    """Every Content-Type value of every part; of two in one part receivers take this or that."""
    return [
        str(value)
        for part in message_from_bytes(data).walk()
        for value in part.get_all("Content-Type", ())
    ]


def structure_of_types(content_types: list[str]) -> Structure:
    """The structure that these Content-Type values stand for."""
    kinds = {_kind(value) for value in content_types}
    methods = (_METHOD.search(value) for value in content_types if _media_type(value) == _CALENDAR)
    method = next((found[1].upper() for found in methods if found), None)
    return Structure("signed" in kinds, "encrypted" in kinds, method)


def _kind(content_type: str) -> str | None:
    """`signed`, `encrypted` or None."""
    kind = _PROTECTED.get(_media_type(content_type))
    if kind != "s/mime":
        return kind
    smime_type = _SMIME_TYPE.search(content_type)
    return "signed" if smime_type and smime_type[1].lower() == "signed-data" else "encrypted"


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
