"""The trace that a mail gets when it passes through here (RFC 5321 section 4.4).

Without it two relays that hand a mail to one another would never notice that it goes in circles.
It names the installation and not the client: an application's address is nobody's business.
"""

from datetime import datetime
from email.utils import format_datetime
from functools import cache
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from postroom.domain.address import parse_address


def received_field(message_id: UUID, accepted_at: datetime) -> bytes:
    """The Received field, to be put on top of the mail."""
    stamp = f"Received: by {_host()} (Postroom) with ESMTP id {message_id};\r\n"
    return f"{stamp}\t{format_datetime(accepted_at)}\r\n".encode("ascii")


@cache
def _host() -> str:
    """The name under which the installation is known outside; a literal where it has none."""
    host = urlsplit(settings.POSTROOM_PUBLIC_URL).hostname or "localhost"
    if not host.isascii():
        host = parse_address(f"postmaster@{host}").domain
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host
