"""The trace of a mail that passes through names the installation, however it is called."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.test import override_settings

from postroom.sending import trace

ID = UUID("01890000-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://post.example", b"post.example"),
        ("https://POST.example:8443", b"post.example"),
        ("https://post.m\u00fcller.example", b"post.xn--mller-kva.example"),
        ("http://192.0.2.1:8025", b"[192.0.2.1]"),
        ("http://[2001:db8::1]:8025", b"[IPv6:2001:db8::1]"),
    ],
)
def test_the_installation_is_named_as_mail_allows(url: str, name: bytes) -> None:
    with override_settings(POSTROOM_PUBLIC_URL=url):
        trace._host.cache_clear()
        field = trace.received_field(ID, datetime(2026, 11, 24, 12, tzinfo=UTC))
    trace._host.cache_clear()
    assert field == (
        b"Received: by " + name + b" (Postroom) with ESMTP"
        b" id 01890000-0000-7000-8000-000000000000;\r\n\tTue, 24 Nov 2026 12:00:00 +0000\r\n"
    )
