"""The arguments of MAIL and RCPT: a path and its parameters (RFC 5321, section 4.1.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from postroom.domain.address import AddressError, parse_address
from postroom.domain.problem import Problem

_ARGUMENT = re.compile(r"[ ]*(?:<(?P<path>[^<>]*)>|(?P<bare>[^<> ]+))(?P<rest>(?: .*)?)")
"""Angle brackets are asked for by the RFC and left away by some old clients."""
_HOST = r"@(?:[\w.-]+|\[[^\]]*\])"
_ROUTE = re.compile(rf"{_HOST}(?:,{_HOST})*:")
"""RFC 5321, appendix C: to be understood and ignored."""
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?")
_BODY_TYPES = frozenset({"7BIT", "8BITMIME"})
REVERSE_PATH_CHARS_MAX = 320


class Refused(Exception):
    """The command is refused with this reply."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Path:
    """A path, with the parameters after it."""

    address: str
    """As the client wrote it, without a source route. Empty: the null sender."""
    parameters: Mapping[str, str]
    """Upper-case keyword to value; empty where it has none."""


def parse_path(keyword: str, argument: str) -> Path:
    """The path after `FROM:` or `TO:`; raises Refused."""
    if argument[: len(keyword)].upper() != keyword:
        raise Refused(f"501 5.5.4 Syntax: {keyword}<address>")
    found = _ARGUMENT.fullmatch(argument[len(keyword) :])
    if found is None:
        raise Refused(f"501 5.5.4 Syntax: {keyword}<address>")
    address = found["path"] if found["path"] is not None else found["bare"]
    route = _ROUTE.match(address)
    return Path(address[route.end() :] if route else address, _parameters(found["rest"]))


def _parameters(text: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for word in text.split():
        parameter = _PARAMETER.fullmatch(word)
        if parameter is None:
            raise Refused("501 5.5.4 A parameter is not of the form KEYWORD=value")
        parameters[parameter[1].upper()] = parameter[2] or ""
    return parameters


def check_reverse_path(path: Path, bytes_max: int) -> None:
    """Refused for parameters that cannot be met, and for what no address can be.

    The address itself is kept as it is and not judged: it is the client's own, and bounces
    come to us.
    """
    for keyword, value in path.parameters.items():
        if keyword == "SIZE":
            _check_size(value, bytes_max)
        elif keyword == "BODY" and value.upper() not in _BODY_TYPES:
            raise Refused("501 5.5.4 BODY is 7BIT or 8BITMIME")
        elif keyword == "SMTPUTF8" and value:
            raise Refused("501 5.5.4 SMTPUTF8 has no value")
        elif keyword not in {"SIZE", "BODY", "SMTPUTF8", "AUTH"}:
            raise Refused(f"555 5.5.4 The parameter {keyword} is not offered")
    _check_text(path.address, "SMTPUTF8" in path.parameters)
    if len(path.address) > REVERSE_PATH_CHARS_MAX:
        raise Refused("501 5.1.7 The address is too long")


def check_forward_path(path: Path, smtputf8: bool) -> None:
    """Refused for parameters, none of which are offered, and for 8-bit text unannounced."""
    if path.parameters:
        raise Refused("555 5.5.4 No parameters of RCPT are offered")
    _check_text(path.address, smtputf8)


def recipient_of(path: Path, hostname: str) -> str:
    """The recipient's address; raises Refused for what is none.

    `postmaster` alone is the one of this host (RFC 5321, section 4.5.1), if mail can go there.
    """
    recipient = path.address
    if recipient.lower() == "postmaster":
        if "." not in hostname:
            raise Refused("550 5.1.1 No mailbox is set for the postmaster of this host")
        recipient = f"{recipient}@{hostname}"
    try:
        parse_address(recipient)
    except AddressError as error:
        raise Refused(f"553 5.1.3 {error}".encode("ascii", "replace").decode()) from None
    return recipient


def _check_size(value: str, bytes_max: int) -> None:
    if not value.isdecimal() or len(value) > 20:
        raise Refused("501 5.5.4 SIZE is a number of bytes")
    if int(value) > bytes_max:
        raise Refused(f"552 5.3.4 At most {bytes_max} bytes are taken")


def _check_text(address: str, smtputf8: bool) -> None:
    if not address.isprintable():
        raise Refused("501 5.1.3 The address holds a character that no address may")
    if not address.isascii() and not smtputf8:
        raise Refused("553 5.6.7 An address beyond ASCII needs the parameter SMTPUTF8")


REPLY_BY_STATUS = {
    401: "550 5.7.1",
    403: "550 5.7.1",
    409: "554 5.5.0",
    413: "552 5.3.4",
    422: "554 5.6.0",
    503: "451 4.3.0",
}
_BY_SLUG = {"loop": "554 5.4.6"}
REPLY_CHARS_MAX = 500
"""RFC 5321, section 4.5.3.1.5: 512 octets with the CRLF."""


def reply_for(problem: Problem) -> str:
    """The reply that tells an SMTP client about a problem, in one line of ASCII."""
    code = _BY_SLUG.get(problem.slug) or REPLY_BY_STATUS.get(problem.status, "451 4.3.0")
    words = " ".join(f"{code} {problem.detail}".encode("ascii", "replace").decode("ascii").split())
    return words[:REPLY_CHARS_MAX]
