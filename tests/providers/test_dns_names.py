"""Names of records as providers write them, made full."""

import pytest

from postroom.providers.dns_names import full_name


@pytest.mark.parametrize(
    ("told", "domain", "full"),
    [
        ("@", "example.com", "example.com"),
        ("", "example.com", "example.com"),
        ("mail._domainkey", "example.com", "mail._domainkey.example.com"),
        ("mail._domainkey.", "example.com", "mail._domainkey.example.com"),
        ("Mail._domainkey.Example.com.", "example.com", "mail._domainkey.example.com"),
        ("example.com", "example.com", "example.com"),
        ("news", "news.example.com", "news.example.com"),
        ("x._domainkey.news", "news.example.com", "x._domainkey.news.example.com"),
        ("x._domainkey", "news.example.com", "x._domainkey.news.example.com"),
        ("send.a.b", "a.b.example.com", "send.a.b.example.com"),
        ("send.send", "send.example.com", "send.send.example.com"),
        ("com", "example.com", "com.example.com"),
    ],
)
def test_a_name_is_made_full_once(told: str, domain: str, full: str) -> None:
    assert full_name(told, domain) == full
    assert full_name(full, domain) == full
