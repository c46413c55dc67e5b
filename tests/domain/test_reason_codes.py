"""Codes in a server's words: found in every spelling, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.reason_codes import by_enhanced, by_reply, extract_codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("550 5.1.1 User unknown", (550, "5.1.1")),
        ("550-5.1.1 The account\n550-5.1.1 does not\n550 5.1.1 exist", (550, "5.1.1")),
        ("smtp;550 5.1.1 User unknown", (550, "5.1.1")),
        ("smtp; 550-5.1.1 first line", (550, "5.1.1")),
        ("x-unix; 550 no", (550, None)),
        ("550 #5.1.0 Address rejected", (550, "5.1.0")),
        ("550#5.1.0 Address rejected", (550, "5.1.0")),
        ("553 sorry, no mailbox here by that name. (#5.1.1)", (553, "5.1.1")),
        ("Sorry, no mailbox here by that name. (#5.1.1)", (None, "5.1.1")),
        ("5505.1.1 glued", (550, "5.1.1")),
        ("421:4.7.0 glued by a colon", (421, "4.7.0")),
        ("550 5.1.1: with a colon", (550, "5.1.1")),
        ("550 5.7.606 Access denied", (550, "5.7.606")),
        ("550 4.4.7 QUEUE.Expired", (550, "4.4.7")),
        ("host mx.example.org[192.0.2.5] said: 550 5.2.1 closed", (550, "5.2.1")),
        ("550 unknown address error 550-'5.7.1 access denied'", (550, "5.7.1")),
        ("5.4.4 (unable to route)", (None, "5.4.4")),
        ("250 2.0.0 OK 1461095248 - gsmtp", (250, "2.0.0")),
        ("250 OK", (250, None)),
        ("400 try again later", (400, None)),
        ("user unknown", (None, None)),
        ("", (None, None)),
        ("connect to 5.1.1.7 refused", (None, None)),
        ("host [4.2.2.2] is down", (None, None)),
        ("554 blocked: 5.6.7.8", (554, None)),
        ("220 mx ESMTP Exim 4.7.1 ready", (220, None)),
        ("Postfix version 4.5.2", (None, None)),
        ("Exim 4.94.2 says no", (None, None)),
        ("message of 5.2.10.4 bytes", (None, None)),
        ("timed out after 450 seconds", (None, None)),
        ("550 5.9.1 no such subject", (550, None)),
        ("450 1.2.3", (450, None)),
    ],
)
def test_codes_are_found_in_every_spelling_and_nowhere_else(
    text: str, codes: tuple[int | None, str | None]
) -> None:
    assert extract_codes(text) == codes


@given(st.text(max_size=400))
def test_any_text_gives_well_formed_codes_or_none(text: str) -> None:
    reply_code, enhanced_code = extract_codes(text)
    assert reply_code is None or 200 <= reply_code < 560
    assert enhanced_code is None or enhanced_code.count(".") == 2


@given(st.ip_addresses(v=4))
def test_an_ip_address_is_no_enhanced_code(address: object) -> None:
    for text in (f"550 [{address}] no", f"{address}", f"from {address}: no", f"({address})"):
        assert extract_codes(text)[1] is None


@pytest.mark.parametrize("code", ["", "5", "5.1", "5.1.1.1", "2.1.5", "5.x.y", "9.9.9", "5.1.²"])
def test_what_is_no_failure_code_gives_no_reason(code: str) -> None:
    assert by_enhanced(code, None, temporary=False) is None


def test_an_unregistered_detail_says_as_little_as_its_subject() -> None:
    assert by_enhanced("5.1.99", None, temporary=False) == "address_ambiguous"
    assert by_enhanced("5.7.99", None, temporary=False) == "policy_refused"
    assert by_enhanced("5.2.99", None, temporary=False) == "unclassified"


def test_a_reply_code_alone_says_little() -> None:
    assert by_reply(550) == "unclassified"
    assert by_reply(450) == "receiver_down"
    assert by_reply(556) == "domain_no_mail"
