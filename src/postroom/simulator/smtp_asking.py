"""What a sender asks about reports, in parameters of MAIL and RCPT (RFC 3461, section 4)."""

import re

_PARAMETER = re.compile(r" (NOTIFY|ORCPT|RET|ENVID)=(\S+)", re.IGNORECASE)


def split_asked(argument: str | None) -> tuple[str | None, str]:
    """The argument without these parameters, and the value of NOTIFY in capitals."""
    if argument is None:
        return None, ""
    path, mark, rest = argument.rpartition(">")
    asked = {name.upper(): value.upper() for name, value in _PARAMETER.findall(rest)}
    return path + mark + _PARAMETER.sub("", rest), asked.get("NOTIFY", "")
