"""Bad input over SMTP: each with its own clear reply, whose two codes agree."""

import base64
import socket
from collections.abc import Callable
from concurrent.futures import Future

import pytest
from django.test import override_settings

from postroom.ledger import keys
from postroom.ledger.db import LedgerUnavailable
from postroom.submission import accept as accept_module
from postroom.submission import smtp, smtp_conversation, smtp_listener
from postroom.submission.smtp_listener import Listener
from tests.submission.door import MAIL, Door, message_count, serving


def says(reply: str, code: str) -> None:
    """The reply has these codes; class and enhanced class agree in every line of it."""
    assert reply.startswith(code), reply
    assert code[0] == code[4]


def test_an_unknown_network_is_never_relayed_for(foreign_relay_door: Door) -> None:
    with foreign_relay_door.talk() as talk:
        talk.say("EHLO c")
        says(talk.say("MAIL FROM:<a@corp.example>"), "550 5.7.1")
        says(talk.say("RCPT TO:<ann@sim.example>"), "503 5.5.1")
        says(talk.say("DATA"), "503 5.5.1")


def test_a_from_domain_that_the_network_may_not_use_is_refused(foreign_relay_door: Door) -> None:
    keys.add_network("legacy", "127.0.0.0/8", kind="live")
    with foreign_relay_door.talk() as talk:
        says(talk.mail(), "550 5.7.1")
    assert message_count() == 0


def test_without_authentication_the_submission_door_takes_no_mail(submission_door: Door) -> None:
    with submission_door.talk() as talk:
        talk.say("EHLO c")
        says(talk.say("MAIL FROM:<a@corp.example>"), "530 5.7.0")


def test_wrong_and_revoked_credentials_are_refused_and_end_the_session(
    submission_door: Door,
) -> None:
    key = keys.create_key("field", "test", ["send"])
    keys.revoke_key(key.id)
    with submission_door.talk() as talk:
        talk.say("EHLO c")
        for secret in (key.secret, "wrong", "", "\x01"):
            says(talk.say(f"AUTH PLAIN {plain(key.id, secret)}"), "535 5.7.8")
        says(talk.say(f"AUTH PLAIN {plain('nobody', 'x')}"), "421 4.7.0")
        assert talk.rest() == b""


def plain(key_id: str, secret: str) -> str:
    return base64.b64encode(f"\0{key_id}\0{secret}".encode()).decode()


def test_a_key_that_is_revoked_in_a_session_sends_nothing_more(submission_door: Door) -> None:
    key = keys.create_key("field", "test", ["send"])
    with submission_door.talk() as talk:
        talk.say("EHLO c", f"AUTH PLAIN {plain(key.id, key.secret)}")
        says(talk.mail(), "250 2.0.0")
        keys.revoke_key(key.id)
        says(talk.mail(), "550 5.7.1")
    assert message_count() == 1


def test_a_key_without_scope_send_is_refused(submission_door: Door) -> None:
    key = keys.create_key("field", "test", ["read"])
    with submission_door.talk() as talk:
        talk.say("EHLO c", f"AUTH PLAIN {plain(key.id, key.secret)}")
        says(talk.mail(), "550 5.7.1")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["AUTH"], "504 5.5.4"),
        (["AUTH CRAM-MD5"], "504 5.5.4"),
        (["AUTH PLAIN !!!"], "501 5.5.2"),
        (["AUTH PLAIN QQ=="], "501 5.5.2"),
        (["AUTH PLAIN", "*"], "501 5.7.0"),
        (["AUTH LOGIN", "/w==", "x"], "500 5.5.2"),
    ],
)
def test_a_broken_auth_exchange_has_its_reply(
    submission_door: Door, lines: list[str], code: str
) -> None:
    with submission_door.talk() as talk:
        talk.say("EHLO c")
        says(talk.say(*lines), code)


def test_auth_without_tls_is_refused_to_all_but_loopback(
    submission_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp.Session, "_peer_ip", property(lambda _: "192.0.2.1"))
    with submission_door.talk() as talk:
        assert "AUTH" not in talk.say("EHLO c")
        says(talk.say("AUTH PLAIN AGEAYg=="), "538 5.7.11")


def test_the_relay_door_offers_no_auth(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        assert "AUTH" not in talk.say("EHLO c")
        says(talk.say("AUTH PLAIN AGEAYg=="), "502 5.5.1")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["MAIL FROM:<a@b.example>"], "503 5.5.1"),
        (["EHLO"], "501 5.5.4"),
        (["EHLO c", "RCPT TO:<a@b.example>"], "503 5.5.1"),
        (["EHLO c", "DATA"], "503 5.5.1"),
        (["EHLO c", "MAIL"], "501 5.5.4"),
        (["EHLO c", "MAIL FROM"], "501 5.5.4"),
        (["EHLO c", "MAIL FROM:<a@b.example"], "501 5.5.4"),
        (["EHLO c", "MAIL FROM:<a@b.example> FOO=BAR"], "555 5.5.4"),
        (["EHLO c", "MAIL FROM:<a@b.example> SIZE=x"], "501 5.5.4"),
        (["EHLO c", "MAIL FROM:<a@b.example> SIZE=999999999999"], "552 5.3.4"),
        (["EHLO c", "MAIL FROM:<a@b.example> BODY=BINARYMIME"], "501 5.5.4"),
        (["EHLO c", "MAIL FROM:<jörg@b.example>"], "553 5.6.7"),
        (["EHLO c", "MAIL FROM:<a\x01@b.example>"], "501 5.1.3"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "MAIL FROM:<a@b.example>"], "503 5.5.1"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "DATA"], "554 5.5.1"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<>"], "553 5.1.3"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<nobody>"], "553 5.1.3"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<a@localhost>"], "553 5.1.3"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<@x:>"], "553 5.1.3"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<@x,y:a@b.example>"], "553 5.1.3"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<@x:@y:a@b.example>"], "553 5.1.3"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<a@b.example> X=Y"], "555 5.5.4"),
        (["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<jörg@b.example>"], "553 5.6.7"),
        (["EHLO c", "EXPN list"], "500 5.5.2"),
        (["EHLO c", "BDAT 5"], "500 5.5.2"),
        ([""], "500 5.5.2"),
    ],
)
def test_a_command_that_is_wrong_has_its_reply(
    relay_door: Door, lines: list[str], code: str
) -> None:
    with relay_door.talk() as talk:
        says(talk.say(*lines), code)


def test_the_postmaster_of_a_host_without_a_domain_name_has_no_mailbox(ledger: None) -> None:
    keys.add_network("legacy", "127.0.0.0/8", kind="test")
    with serving(Listener("localhost", relays=True)) as door, door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<a@corp.example>")
        says(talk.say("RCPT TO:<postmaster>"), "550 5.1.1")


def test_one_wrong_recipient_does_not_sink_the_mail(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<a@corp.example>", "RCPT TO:<nobody>")
        assert talk.say("RCPT TO:<ann@sim.example>", "DATA").startswith("354")
        talk.send(MAIL + b".\r\n")
        says(talk.reply(), "250 2.0.0")


@override_settings(POSTROOM_SMTP_RCPT_MAX=2)
def test_above_the_limit_recipients_are_452_and_the_mail_goes_to_those_before(
    relay_door: Door,
) -> None:
    with relay_door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<a@corp.example>", "RCPT TO:<a@sim.example>")
        talk.say("RCPT TO:<b@sim.example>")
        says(talk.say("RCPT TO:<c@sim.example>"), "452 4.5.3")
        talk.say("DATA")
        talk.send(MAIL + b".\r\n")
        says(talk.reply(), "250 2.0.0")


@override_settings(POSTROOM_SMTP_MESSAGE_BYTES_MAX=1000)
def test_a_mail_that_is_too_large_is_552_and_the_session_goes_on(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        says(talk.mail(MAIL + b"x" * 300_000 + b"\r\n"), "552 5.3.4")
        says(talk.mail(), "250 2.0.0")
    assert message_count() == 1


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: none\r\n",
        b"From: a@corp.example\r\nFrom: b@corp.example\r\n",
        b"From: a@corp.example, b@corp.example\r\n",
        b"From: a@corp.example, b@corp.example\r\nSender: a@corp.example, b@corp.example\r\n",
        b"From: a@corp.example\r\nSender: a@corp.example\r\nSender: b@corp.example\r\n",
        b"From:\r\n",
        b"From: nobody\r\n",
        b"From: root@localhost\r\n",
        b"From: a@corp.example\r\nno field\r\n",
        b"From: a@corp.example\r\nBad Name: x\r\n",
        b" folded: first\r\nFrom: a@corp.example\r\n",
        b"From: a@corp.example\r\nX-Nul: a\x00b\r\n",
        b"From: a@corp.example\r\n" + b"X-A: b\r\n" * 101,
        b"From: a@corp.example\r\nX-Long: " + b"a" * 70_000 + b"\r\n",
    ],
    ids=lambda header: repr(header[:60]),
)
def test_a_header_block_that_cannot_be_answered_for_is_refused(
    relay_door: Door, header: bytes
) -> None:
    with relay_door.talk() as talk:
        says(talk.mail(header + b"\r\nbody\r\n"), "554 5.6.0")
        says(talk.say("NOOP"), "250 2.0.0")
    assert message_count() == 0


def test_several_mailboxes_in_from_are_accepted_with_one_sender(relay_door: Door) -> None:
    header = b'From: "A, B" <a@corp.example>, b@corp.example\r\nSender: c@corp.example\r\n'
    with relay_door.talk() as talk:
        says(talk.mail(header + b"\r\nbody\r\n"), "250 2.0.0")


@pytest.mark.parametrize(
    "header", [b"From: x@evil.example\r\n", b"From: a@corp.example\r\nSender: x@evil.example\r\n"]
)
def test_every_mailbox_that_answers_for_the_mail_needs_an_allowed_domain(
    submission_door: Door, header: bytes
) -> None:
    key = keys.create_key("field", "live", ["send"], ["corp.example"])
    with submission_door.talk() as talk:
        talk.say("EHLO c", f"AUTH PLAIN {plain(key.id, key.secret)}")
        says(talk.mail(header + b"\r\nbody\r\n"), "550 5.7.1")


@pytest.mark.parametrize(
    "line",
    [
        b"X-Postroom-Communication: Price Change",
        b"X-Postroom-Communication: ..",
        b"X-Postroom-Lane: slow",
        b"X-Postroom-Kind: gossip",
        b"X-Postroom-Critical: perhaps",
        b"X-Postroom-Send-At: tomorrow",
        b"X-Postroom-Send-At: 2020-01-01T00:00:00Z",
        b"X-Postroom-Track: everything",
        b"X-Postroom-Tags: " + b"a" * 101,
        b"X-Postroom-Metadata: {",
        b'X-Postroom-Metadata: {"a": 1}',
        b'X-Postroom-Metadata: {"a": "\\u0000"}',
        b"X-Postroom-Ref:",
        b"X-Postroom-Ref: =?utf-8?q?a=0D=0Ab?=",
        b"X-Postroom-Idempotency-Key:",
        b"X-Postroom-Notify: ftp://x",
        b"X-Postroom-Lanes: urgent",
        b"X-Postroom-Lane: bulk\r\nX-Postroom-Lane: urgent",
    ],
    ids=lambda line: repr(line[:50]),
)
def test_an_own_header_that_is_not_understood_is_refused_and_named(
    relay_door: Door, line: bytes
) -> None:
    with relay_door.talk() as talk:
        reply = talk.mail(line + b"\r\n" + MAIL)
    says(reply, "554 5.6.0")
    assert line.split(b":")[0].decode() in reply or "send_at" in reply
    assert message_count() == 0


def test_a_mail_that_goes_in_circles_is_refused(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        says(talk.mail(b"Received: from a by b\r\n" * 51 + MAIL), "554 5.4.6")


@pytest.mark.parametrize(
    "line",
    [
        b"NOOP\n",
        b"NO\rOP\r\n",
        b"NOOP\r\r\n",
        b"MAIL FROM:<a@b.example>\nRCPT TO:<x@y.example>\r\n",
    ],
)
def test_a_bare_line_end_in_a_command_ends_the_session(relay_door: Door, line: bytes) -> None:
    with relay_door.talk() as talk:
        talk.say("EHLO c")
        talk.send(line)
        says(talk.reply(), "500 5.5.2")
        assert talk.rest() == b""


def test_an_oversized_command_line_ends_the_session(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        talk.send(b"EHLO " + b"x" * 100_000 + b"\r\n")
        says(talk.reply(), "500 5.5.2")


def test_five_unknown_commands_end_the_session(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        for _ in range(4):
            says(talk.say("GET / HTTP/1.1"), "500 5.5.2")
        says(talk.say("GET / HTTP/1.1"), "421 4.7.0")
        assert talk.rest() == b""


def test_our_own_trouble_is_451_and_names_nothing_of_our_inside(
    relay_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accept_module, "accept_message", _failing(LedgerUnavailable("secret")))
    with relay_door.talk() as talk:
        reply = talk.mail()
        says(reply, "451 4.3.0")
        assert "secret" not in reply
        says(talk.say("NOOP"), "250 2.0.0")
    monkeypatch.setattr(accept_module, "accept_message", _failing(KeyError("secret")))
    with relay_door.talk() as talk:
        reply = talk.mail()
    says(reply, "451 4.3.0")
    assert "KeyError" not in reply
    assert "secret" not in reply


def _failing(error: Exception) -> Callable[[object], "Future[object]"]:
    def fail(_: object) -> "Future[object]":
        future: Future[object] = Future()
        future.set_exception(error)
        return future

    return fail


def test_too_many_sessions_of_one_peer_are_told_to_come_later(
    relay_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_listener, "SESSIONS_PER_PEER_MAX", 1)
    with relay_door.talk() as first:
        first.say("EHLO c")
        with socket.create_connection(("127.0.0.1", relay_door.port), timeout=10) as second:
            assert second.recv(100).startswith(b"421 4.7.0")


def test_a_client_that_is_silent_for_too_long_is_let_go(
    relay_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_conversation, "IDLE_S", 0.1)
    with relay_door.talk() as talk:
        assert talk.rest() == b""


def test_a_mail_that_drips_too_slowly_is_let_go(
    relay_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "DATA_S", 0.2)
    with relay_door.talk() as talk:
        talk.begin_mail()
        talk.send(b"From: a@corp")
        assert talk.rest() == b""
    assert message_count() == 0


def test_a_client_that_goes_away_in_its_mail_leaves_nothing(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        talk.begin_mail()
        talk.send(MAIL)
    with relay_door.talk() as talk:
        says(talk.mail(), "250 2.0.0")
    assert message_count() == 1
