"""Signature Version 4 against the vectors that Amazon published, and what it must never show."""

from datetime import UTC, datetime

import pytest

from postroom.providers.ses.signature import Keys, signed

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = Keys("AKIDEXAMPLE", SECRET, "us-east-1", "service")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = "https://example.amazonaws.com"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "signature"),
    [
        ("GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            {},
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/?Param1=value2&Param1=value1",
            {},
            b"",
            "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
        ),
        (
            "GET",
            f"/?{UNRESERVED}={UNRESERVED}",
            {},
            b"",
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            "GET",
            f"/{UNRESERVED}",
            {},
            b"",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "GET",
            "/\u1234",
            {},
            b"",
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "GET",
            "/",
            {"My-Header1": " value1", "My-Header2": ' "a   b   c"'},
            b"",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "POST",
            "/",
            FORM,
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
    ids=[
        "get-vanilla",
        "post-vanilla",
        "get-vanilla-query-order-key",
        "get-vanilla-query-order-value",
        "get-vanilla-query-unreserved",
        "get-unreserved",
        "get-utf8",
        "get-header-value-trim",
        "post-x-www-form-urlencoded",
    ],
)
def test_published_vectors_are_met(
    method: str, target: str, headers: dict[str, str], body: bytes, signature: str
) -> None:
    sent = signed(KEYS, method, HOST + target, headers, body, AT)
    assert sent["Authorization"].rpartition("Signature=")[2] == signature


def test_a_session_token_is_sent_and_signed() -> None:
    keys = Keys("AKIDEXAMPLE", SECRET, "us-east-1", "service", "the-token")
    sent = signed(keys, "GET", HOST + "/", {}, b"", AT)
    assert sent["X-Amz-Security-Token"] == "the-token"
    assert "x-amz-security-token" in sent["Authorization"]


def test_the_secret_is_shown_nowhere() -> None:
    assert SECRET not in repr(KEYS)
    assert SECRET not in str(signed(KEYS, "GET", HOST + "/", {}, b"", AT))


def test_a_port_belongs_to_the_host_that_is_signed() -> None:
    sent = signed(KEYS, "GET", "http://127.0.0.1:8026/x", {}, b"", AT)
    assert sent["Host"] == "127.0.0.1:8026"
