"""Mails that come by SMTP: what is answered, and what the ledger then holds."""

import smtplib
import ssl
import zlib
from email.message import EmailMessage
from uuid import UUID

import pytest
from django.test import override_settings

from postroom.ledger import db, keys, suppressions
from tests.submission.door import MAIL, Door, message_count, rows


def unverified() -> ssl.SSLContext:
    """The certificate is self-signed, as on a first start."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask_application(*, join_repeats: bool = False, refuse_suppressed: bool = False) -> None:
    with db.transaction() as conn:
        conn.execute(
            "UPDATE application SET join_repeats = %s, refuse_suppressed = %s",
            (join_repeats, refuse_suppressed),
        )


def test_a_mail_over_the_relay_is_answered_250_with_its_message_id(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        reply = talk.mail()
    assert reply.startswith("250 2.0.0 ")
    assert rows("SELECT id FROM message") == [(UUID(reply.split()[-1]),)]
    assert rows("SELECT door, simulated, from_address, mail_from, subject FROM message") == [
        ("smtp", True, "notices@corp.example", "app@corp.example", "Prices")
    ]
    assert rows("SELECT recipient, stage FROM delivery") == [("ann@sim.example", "queued")]


def test_the_bytes_the_reverse_path_and_the_message_id_are_kept_exactly(relay_door: Door) -> None:
    long_line = b"x" * 20_000
    data = (
        b"From: =?utf-8?q?J=C3=B6rg?= <j@corp.example>\r\n"
        b"Message-ID:\r\n <Weird.ID+1@[10.0.0.1]>\r\n"
        b"X-Eight-Bit: \xe4\xf6\xfc\r\n\r\n"
        b"..dots\r\n.\xff\xfe\r\n" + long_line + b"\r\n\r\n.x\r\n"
    )
    with relay_door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<Return+Path=x@Corp.EXAMPLE> BODY=8BITMIME SIZE=30000")
        assert talk.say("RCPT TO:<ann@sim.example>", "DATA").startswith("354")
        talk.send(data.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert talk.reply().startswith("250 2.0.0 ")
    [(stored,)] = rows("SELECT zlib FROM blob")
    assert isinstance(stored, bytes)
    assert zlib.decompress(stored) == data
    assert rows("SELECT mail_from, header_message_id FROM message") == [
        ("Return+Path=x@Corp.EXAMPLE", "<Weird.ID+1@[10.0.0.1]>")
    ]


def test_an_empty_mail_is_read_to_its_end_and_the_session_goes_on(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        talk.begin_mail()
        talk.send(b".\r\n")
        assert talk.reply().startswith("554 5.6.0")
        assert talk.say("NOOP").startswith("250")


def test_the_null_sender_is_accepted(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<>", "RCPT TO:<ann@sim.example>", "DATA")
        talk.send(MAIL + b".\r\n")
        assert talk.reply().startswith("250 2.0.0 ")
    assert rows("SELECT mail_from FROM message") == [("",)]


@pytest.mark.parametrize(
    "route", ["@relay.example:", "@a.example,@b.example:", "@[192.0.2.1]:", "@[IPv6:2001:db8::1]:"]
)
def test_a_source_route_is_understood_and_ignored(relay_door: Door, route: str) -> None:
    with relay_door.talk() as talk:
        talk.say("EHLO c", f"MAIL FROM:<{route}app@corp.example>")
        assert talk.say(f"RCPT TO:<{route}ann@sim.example>", "DATA").startswith("354")
        talk.send(MAIL + b".\r\n")
        assert talk.reply().startswith("250 2.0.0 ")
    assert rows("SELECT mail_from FROM message") == [("app@corp.example",)]
    assert rows("SELECT recipient FROM delivery") == [("ann@sim.example",)]


@pytest.mark.parametrize("name", ["postmaster", "Postmaster", "POSTMASTER"])
def test_the_postmaster_without_a_domain_is_the_one_of_this_host(
    relay_door: Door, name: str
) -> None:
    with relay_door.talk() as talk:
        assert talk.mail(rcpt=name).startswith("250 2.0.0 ")
    assert rows("SELECT recipient_key FROM delivery") == [("postmaster@mail.corp.example",)]


def test_pipelined_commands_are_answered_one_by_one(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        assert "250-PIPELINING" in talk.say("EHLO c")
        talk.send(
            b"MAIL FROM:<a@corp.example>\r\nRCPT TO:<ann@sim.example>\r\n"
            b"RCPT TO:<bo@sim.example>\r\nDATA\r\n"
        )
        assert [talk.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        talk.send(MAIL + b".\r\nMAIL FROM:<b@corp.example>\r\nRCPT TO:<cy@sim.example>\r\nDATA\r\n")
        assert [talk.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        talk.send(MAIL + b".\r\nQUIT\r\n")
        assert [talk.reply()[:3] for _ in range(2)] == ["250", "221"]
    assert message_count() == 2


def test_a_duplicate_recipient_gets_one_delivery(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<a@corp.example>", "RCPT TO:<ann@sim.example>")
        talk.say("RCPT TO:<ANN@sim.example>", "DATA")
        talk.send(MAIL + b".\r\n")
        assert talk.reply().startswith("250")
    assert rows("SELECT recipients, duplicates FROM message") == [(1, 1)]


def test_a_suppressed_recipient_is_answered_250_and_never_sinks_the_others(
    relay_door: Door,
) -> None:
    suppress("ann@sim.example")
    with relay_door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<a@corp.example>")
        assert talk.say("RCPT TO:<ann@sim.example>").startswith("250 2.1.5")
        assert talk.say("RCPT TO:<bo@sim.example>", "DATA").startswith("354")
        talk.send(MAIL + b".\r\n")
        assert talk.reply().startswith("250 2.0.0")
    assert rows("SELECT recipient, stage FROM delivery ORDER BY recipient") == [
        ("ann@sim.example", "suppressed"),
        ("bo@sim.example", "queued"),
    ]


def test_an_application_may_ask_for_550_for_a_suppressed_recipient(relay_door: Door) -> None:
    suppress("ann@sim.example")
    ask_application(refuse_suppressed=True)
    with relay_door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<a@corp.example>")
        assert talk.say("RCPT TO:<ann@sim.example>").startswith("550 5.7.1")
        assert talk.say("RCPT TO:<bo@sim.example>").startswith("250")


def suppress(address: str) -> None:
    with db.transaction() as conn:
        conn.execute(
            "INSERT INTO suppression (simulated, address_key, reason, source)"
            " VALUES (true, %s, 'address_unknown', 'person')",
            (address,),
        )
    assert suppressions.standing(True, [address])


def test_a_repeat_of_the_same_mail_is_the_same_message_where_that_is_asked_for(
    relay_door: Door,
) -> None:
    ask_application(join_repeats=True)
    retried = b"Received: from a by b; today\r\n" + MAIL
    with relay_door.talk() as talk:
        first, again = talk.mail(), talk.mail(retried)
        other_body, other_envelope = talk.mail(MAIL + b"PS\r\n"), talk.mail(rcpt="bo@sim.example")
    assert first == again
    assert len({first, other_body, other_envelope}) == 3
    assert message_count() == 3


def test_a_repeat_is_another_message_where_that_is_not_asked_for(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        assert talk.mail() != talk.mail()
    assert message_count() == 2


def test_own_headers_say_what_http_has_fields_for(relay_door: Door) -> None:
    own = (
        b"X-Postroom-Communication: price-change\r\n"
        b"x-postroom-lane: Bulk\r\n"
        b"X-Postroom-Send-At: 2099-01-01T00:00:00Z\r\n"
        b"X-Postroom-Track: opens, clicks\r\n"
        b"X-Postroom-Tags: a, b\r\n"
        b'X-Postroom-Metadata: {"by": "erp"}\r\n'
        b"X-Postroom-Ref: staff-1\r\n"
        b"X-Postroom-Notify: https://erp.corp.example/hook\r\n"
    )
    with override_settings(POSTROOM_SEND_AT_DAYS_MAX=100_000), relay_door.talk() as talk:
        assert talk.mail(own + MAIL).startswith("250")
    assert rows("SELECT lane, tags, metadata, notify FROM message") == [
        (2, ["a", "b"], {"by": "erp"}, {"url": "https://erp.corp.example/hook"})
    ]
    assert rows("SELECT ref, stage FROM delivery") == [("staff-1", "scheduled")]
    assert rows("SELECT name FROM communication") == [("price-change",)]


def test_the_idempotency_header_makes_a_repeat_safe(relay_door: Door) -> None:
    mail = b"X-Postroom-Idempotency-Key: order-1\r\n" + MAIL
    with relay_door.talk() as talk:
        assert talk.mail(mail) == talk.mail(mail)
        assert talk.mail(mail + b"PS\r\n").startswith("554 5.5.0")
    assert message_count() == 1


@pytest.mark.parametrize("mechanism", ["plain", "login"])
@pytest.mark.parametrize("encrypted", [True, False])
def test_the_submission_door_takes_key_id_and_secret(
    submission_door: Door, mechanism: str, encrypted: bool
) -> None:
    key = keys.create_key("field", "test", ["send"])
    with submission_door.smtp() as client:
        if encrypted:
            client.starttls(context=unverified())
        client.ehlo()
        client.user, client.password = key.id, key.secret
        authenticate = {"plain": client.auth_plain, "login": client.auth_login}[mechanism]
        assert client.auth(mechanism.upper(), authenticate)[0] == 235
        assert client.sendmail("a@corp.example", ["ann@sim.example"], MAIL) == {}
    assert rows("SELECT key_id FROM message") == [(key.id,)]


def test_implicit_tls_offers_auth_and_carries_a_mail(implicit_tls_door: Door) -> None:
    key = keys.create_key("field", "test", ["send"])
    with smtplib.SMTP_SSL(
        "127.0.0.1", implicit_tls_door.port, timeout=10, context=unverified()
    ) as client:
        client.ehlo("client.example")
        assert client.has_extn("auth")
        assert not client.has_extn("starttls")
        client.login(key.id, key.secret)
        client.sendmail("a@corp.example", ["ann@sim.example"], MAIL)
    assert message_count() == 1


def test_an_internationalized_mail_is_carried_with_smtputf8(relay_door: Door) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "n@corp.example", "jörg@sim.example", "Grüße"
    mail.set_content("Schöne Grüße")
    with relay_door.smtp() as client:
        client.ehlo()
        assert client.has_extn("smtputf8")
        client.send_message(mail, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    assert rows("SELECT recipient FROM delivery") == [("jörg@sim.example",)]
    assert rows("SELECT subject FROM message") == [("Grüße",)]


def test_a_team_network_reaches_its_allow_list_only_and_records_the_others(
    foreign_relay_door: Door,
) -> None:
    keys.add_network("team", "127.0.0.0/8", kind="team")
    with foreign_relay_door.talk() as talk:
        assert talk.mail().startswith("250")
    assert rows("SELECT stage, reason FROM delivery") == [("rejected", "policy_refused")]
