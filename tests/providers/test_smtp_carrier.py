"""The SMTP carrier against real sockets: what it says, and what it makes of the answers."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from postroom.domain.content import Content, Mailbox
from postroom.providers.base import Account, CannotCarry, Copy, RawMail, Reply, ReplyKind, Stored
from postroom.providers.smtp import SmtpCarrier, sendgrid_header
from postroom.providers.smtp.session import stuffed
from tests.certificates import self_signed
from tests.fake_smtp import DROP, SILENCE, FakeSmtp, fake_smtp
from tests.helpers import free_ports

HANDOVER = UUID("019abcde-0000-7000-8000-000000000001")
MAIL = b"From: a@example.com\r\nTo: all@example.com\r\nSubject: Hi\r\n\r\nHello\r\n.\r\n..two\r\n"


def raw(data: bytes = MAIL, mail_from: str = "a@example.com", *ids: UUID) -> RawMail:
    """A finished mail for the given hand-overs."""
    digest = sha256(data).digest()
    segments = (Stored(digest, 0, len(data)),)
    return RawMail(mail_from, dict.fromkeys(ids or (HANDOVER,), segments), {digest: data})


def account(port: int, settings: Mapping[str, str] = MappingProxyType({})) -> Account:
    """An account on loopback."""
    where = {"smtp_host": "127.0.0.1", "smtp_port": str(port)}
    return Account(1, "relay", "smtp", simulated=False, settings=where | dict(settings))


def sent(
    server: FakeSmtp,
    mail: RawMail | None = None,
    to: str = "kim@example.org",
    carrier: SmtpCarrier | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Reply:
    """The reply to one mail."""
    carrier = carrier or SmtpCarrier(timeout_s=5)
    return run(carrier, lambda: one(carrier, account(server.port, settings), mail or raw(), to))


def run(carrier: SmtpCarrier, talk: Callable[[], Coroutine[Any, Any, Reply]]) -> Reply:
    async def whole() -> Reply:
        try:
            return await talk()
        finally:
            await carrier.close()

    return asyncio.run(whole())


async def one(carrier: SmtpCarrier, of: Account, mail: RawMail, to: str) -> Reply:
    (call,) = carrier.compose(of, mail, [Copy(HANDOVER, to)])
    return await carrier.hand_over(of, call)


def answering(command: str, answer: str) -> FakeSmtp:
    """A server that gives this answer to that command."""
    return FakeSmtp(answer=lambda verb, _argument: answer if verb == command else None)


@pytest.fixture
def server() -> Iterator[FakeSmtp]:
    with fake_smtp() as running:
        yield running


def test_a_taken_mail_gives_the_message_id_of_the_queue(server: FakeSmtp) -> None:
    reply = sent(server)
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids == {HANDOVER: "4F2A9C"}
    assert reply.body.endswith(b"354 go on\r\n250 2.0.0 Ok: queued as 4F2A9C\r\n")


def test_the_mail_arrives_byte_for_byte_under_our_header(server: FakeSmtp) -> None:
    sent(server)
    (mail,) = server.taken
    assert mail.data == b"X-Postroom-Handover: %s\r\n" % str(HANDOVER).encode() + MAIL
    assert mail.recipient == "kim@example.org"
    assert mail.mail_from.startswith("FROM:<a@example.com>")


def test_the_assembled_call_is_what_the_server_gets(server: FakeSmtp) -> None:
    carrier, to = SmtpCarrier(), Copy(HANDOVER, "kim@example.org")
    (call,) = carrier.compose(account(server.port), raw(), [to])
    sent(server)
    assert server.taken[0].data == call.body()
    assert call.slices == ((0, len(call.body())),)
    assert call.changes == ("added X-Postroom-Handover",)


def test_the_null_sender_is_kept(server: FakeSmtp) -> None:
    sent(server, raw(MAIL, ""))
    assert server.taken[0].mail_from.startswith("FROM:<>")


def test_sendgrids_header_names_the_hand_over_and_switches_every_rewriting_off() -> None:
    header = sendgrid_header(account(25), HANDOVER, raw()).decode()
    assert f'{{"unique_args":{{"postroom_handover":"{HANDOVER}"}}' in header
    assert '"enable":1' not in header
    assert header.endswith("\r\n")
    assert all(line.startswith(" ") for line in header.split("\r\n")[1:-1])
    assert "kim@" not in header


def test_content_that_is_not_built_is_not_carried() -> None:
    with pytest.raises(CannotCarry):
        SmtpCarrier().compose(account(1), Content(Mailbox("a@example.com"), "Hi"), [])


@pytest.mark.parametrize(
    ("command", "answer", "is_slowed"),
    [
        ("RCPT", "450 4.7.28 The domain is receiving mail at a rate that is too high", True),
        ("DOT", "451 4.7.500 Server busy; receiving mail too quickly", True),
        ("MAIL", "450 4.7.28 you are receiving mail at a rate that is too high", False),
        ("RCPT", "421 4.7.28 The domain is receiving mail at a rate that is too high", False),
        ("RCPT", "452 4.2.2 Mailbox full", False),
        ("RCPT", "550 5.7.28 receiving mail at a rate that is too high", False),
    ],
)
def test_only_a_recipients_domain_that_is_sent_too_much_is_slowed(
    command: str, answer: str, is_slowed: bool
) -> None:
    with fake_smtp(answering(command, answer)) as server:
        reply = sent(server)
    assert bool(reply.slowed) is is_slowed


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_temporary_refusal_at_any_step_is_tried_later(command: str) -> None:
    with fake_smtp(answering(command, "451 4.3.0 later")) as server:
        reply = sent(server)
    assert (reply.kind, reply.status) == (ReplyKind.TRY_LATER, 451)
    assert b"451 4.3.0 later\r\n" in reply.body


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_permanent_refusal_at_any_step_names_the_recipient(command: str) -> None:
    text = "550-5.1.1 There is no such\r\n550 5.1.1 mailbox here"
    with fake_smtp(answering(command, text)) as server:
        reply = sent(server)
    assert reply.kind is ReplyKind.REFUSED
    refusal = reply.refused[HANDOVER]
    assert refusal.reason == "address_unknown"
    assert refusal.text == "5.1.1 There is no such\n5.1.1 mailbox here"
    assert (refusal.reply_code, refusal.enhanced_code) == (550, "5.1.1")


@pytest.mark.parametrize("pipelining", [True, False])
def test_no_content_follows_a_refused_recipient(pipelining: bool) -> None:
    server = answering("RCPT", "550 5.1.1 no such mailbox")
    server.extensions = ("PIPELINING",) if pipelining else ("8BITMIME",)
    with fake_smtp(server):
        sent(server)
    assert server.taken == []


def test_the_next_mail_goes_over_the_same_connection_after_a_refusal() -> None:
    refusing = FakeSmtp(
        answer=lambda verb, argument: (
            "550 5.1.1 no" if verb == "RCPT" and "bad" in argument else None
        )
    )
    refusing.extensions = ("8BITMIME",)
    with fake_smtp(refusing) as server:
        carrier = SmtpCarrier(timeout_s=5)

        async def two() -> Reply:
            await one(carrier, account(server.port), raw(), "bad@example.org")
            return await one(carrier, account(server.port), raw(), "kim@example.org")

        assert run(carrier, two).kind is ReplyKind.TAKEN
    assert server.connections == 1
    assert server.recipients() == ["kim@example.org"]


def test_wrong_credentials_stop_the_account() -> None:
    server = answering("AUTH", "535 5.7.8 wrong")
    server.extensions = ("AUTH PLAIN LOGIN",)
    with fake_smtp(server):
        reply = sent(server, settings={"smtp_user": "apikey", "smtp_password": "wrong"})
    assert (reply.kind, reply.status) == (ReplyKind.ACCOUNT_STOPPED, 535)


def test_a_server_that_asks_for_a_login_stops_the_account() -> None:
    with fake_smtp(answering("MAIL", "530 5.7.0 authentication required")) as server:
        assert sent(server).kind is ReplyKind.ACCOUNT_STOPPED


def test_a_login_that_cannot_be_checked_now_is_tried_later() -> None:
    with fake_smtp(answering("AUTH", "454 4.7.0 try again")) as server:
        reply = sent(server, settings={"smtp_user": "apikey", "smtp_password": "right"})
    assert reply.kind is ReplyKind.TRY_LATER


def test_a_server_that_is_closed_is_tried_later() -> None:
    with fake_smtp(FakeSmtp(greeting="421 4.3.2 busy")) as server:
        assert sent(server).kind is ReplyKind.TRY_LATER


def test_a_server_that_is_not_there_is_tried_later(server: FakeSmtp) -> None:
    reply = sent(FakeSmtp(port=1))
    assert (reply.kind, reply.status) == (ReplyKind.TRY_LATER, None)
    assert reply.error


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_dot_is_tried_later(command: str) -> None:
    with fake_smtp(answering(command, DROP)) as server:
        reply = sent(server)
    assert reply.kind is (ReplyKind.TAKEN if command == "EHLO" else ReplyKind.TRY_LATER)


def test_a_connection_lost_after_the_dot_leaves_the_outcome_unknown() -> None:
    with fake_smtp(answering("DOT", DROP)) as server:
        reply = sent(server)
    assert reply.kind is ReplyKind.UNKNOWN
    assert len(server.taken) == 1
    assert reply.error


def test_silence_after_the_dot_leaves_the_outcome_unknown() -> None:
    with fake_smtp(answering("DOT", SILENCE)) as server:
        reply = sent(server, carrier=SmtpCarrier(timeout_s=0.3))
    assert reply.kind is ReplyKind.UNKNOWN
    assert reply.error == "no answer within 0.3 s"


def test_silence_before_the_content_is_tried_later_and_nothing_is_completed() -> None:
    with fake_smtp(answering("DATA", SILENCE)) as server:
        reply = sent(server, carrier=SmtpCarrier(timeout_s=0.3))
    assert reply.kind is ReplyKind.TRY_LATER
    assert server.taken == []


def test_a_kept_connection_that_the_server_ended_is_opened_anew(server: FakeSmtp) -> None:
    said: list[str] = []

    def goodbye(verb: str, argument: str) -> str | None:
        said.append(verb)
        return "421 4.4.2 too many mails" if said.count("MAIL") == 2 and verb == "MAIL" else None

    server.answer = goodbye
    carrier = SmtpCarrier(timeout_s=5)

    async def two() -> Reply:
        await one(carrier, account(server.port), raw(), "lee@example.org")
        return await one(carrier, account(server.port), raw(), "kim@example.org")

    assert run(carrier, two).kind is ReplyKind.TAKEN
    assert server.recipients() == ["lee@example.org", "kim@example.org"]
    assert server.connections == 2


def test_an_8_bit_mail_is_refused_where_it_would_have_to_be_converted() -> None:
    with fake_smtp(FakeSmtp(extensions=("PIPELINING",))) as server:
        reply = sent(server, raw(MAIL + b"caf\xc3\xa9\r\n"))
    assert reply.kind is ReplyKind.REFUSED
    assert reply.refused[HANDOVER].reason == "charset_unsupported"
    assert server.taken == []


def test_an_8_bit_mail_is_announced_and_arrives_as_it_was(server: FakeSmtp) -> None:
    sent(server, raw(MAIL + b"caf\xe9\r\n"))
    assert "BODY=8BITMIME" in server.taken[0].mail_from
    assert server.taken[0].data.endswith(b"caf\xe9\r\n")


def test_an_address_beyond_ascii_is_refused_where_the_server_cannot_take_it() -> None:
    with fake_smtp(FakeSmtp(extensions=("PIPELINING", "8BITMIME"))) as server:
        reply = sent(server, to="søren@example.org")
    assert reply.refused[HANDOVER].enhanced_code == "5.6.7"
    assert server.taken == []


def test_an_address_beyond_ascii_is_announced(server: FakeSmtp) -> None:
    sent(server, to="søren@example.org")
    assert server.taken[0].mail_from.endswith(" SMTPUTF8")
    assert server.recipients() == ["søren@example.org"]


def test_a_mail_above_the_servers_size_is_refused_before_it_is_sent() -> None:
    with fake_smtp(FakeSmtp(extensions=("PIPELINING", "SIZE 60"))) as server:
        reply = sent(server)
    assert reply.refused[HANDOVER].reason == "message_too_large"
    assert server.taken == []


@pytest.mark.parametrize(
    "bad", ["kim@example.org>\r\nDATA", "kim@example.org\n", "a\0@example.org"]
)
def test_no_line_break_of_an_address_reaches_a_command(server: FakeSmtp, bad: str) -> None:
    reply = sent(server, to=bad)
    assert reply.refused[HANDOVER].reason == "address_syntax"
    assert server.commands == []


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_no_line_end_of_any_kind_lets_content_end_early(end: bytes) -> None:
    data = stuffed(b"one" + end + b"." + end + b"MAIL FROM:<evil@example.com>\r\n")
    assert end + b".." + end in data


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b".", b"..\r\n"),
        (b"a\r\n.b\r\n", b"a\r\n..b\r\n"),
        (b"a\r\n\r\n", b"a\r\n\r\n"),
        (b"a", b"a\r\n"),
        (b"", b"\r\n"),
        (b"a.\r\n.\r\n.\r\n", b"a.\r\n..\r\n..\r\n"),
    ],
)
def test_leading_dots_are_doubled_and_the_last_line_ends(data: bytes, expected: bytes) -> None:
    assert stuffed(data) == expected


def test_credentials_do_not_travel_in_clear_beyond_this_machine() -> None:
    from postroom.providers.smtp.session import Endpoint

    far = {"smtp_host": "relay.example.net", "smtp_tls": "none", "smtp_user": "u"}
    assert not Endpoint.of(far).may_log_in
    assert Endpoint.of({"smtp_host": "127.0.0.1", "smtp_user": "u"}).may_log_in
    assert Endpoint.of({"smtp_host": "relay.example.net"}).tls == "starttls"


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_tls": "maybe"},
        {"smtp_port": "smtp"},
        {"smtp_port": "70000"},
        {"smtp_host": ""},
        {"smtp_host": "a" * 70 + ".example"},
    ],
)
def test_settings_that_name_no_server_stop_the_account(
    server: FakeSmtp, wrong: dict[str, str]
) -> None:
    reply = sent(server, settings=wrong)
    assert reply.kind is ReplyKind.ACCOUNT_STOPPED
    assert reply.error
    assert server.connections == 0


def test_a_server_without_starttls_gets_no_mail(server: FakeSmtp) -> None:
    reply = sent(server, settings={"smtp_tls": "starttls"})
    assert reply.kind is ReplyKind.TRY_LATER
    assert server.taken == []


def _trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_an_encrypted_connection_carries_login_and_mail(tls: str, tmp_path: Path) -> None:
    certificate, context = self_signed(tmp_path, "127.0.0.1")
    encrypted = FakeSmtp(tls=context, implicit_tls=tls == "implicit")
    encrypted.extensions = ("STARTTLS", "AUTH LOGIN", "PIPELINING")
    encrypted.answer = lambda verb, _argument: {
        "AUTH": "334 VXNlcm5hbWU6",
        "YXBpa2V5": "334 UGFzc3dvcmQ6",
        "c2VjcmV0": "235 2.7.0 welcome",
    }.get(verb)
    with fake_smtp(encrypted) as server:
        carrier = SmtpCarrier(timeout_s=5, trust=_trusting(certificate))
        login = {"smtp_tls": tls, "smtp_user": "apikey", "smtp_password": "secret"}
        assert sent(server, carrier=carrier, settings=login).kind is ReplyKind.TAKEN


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_server_with_an_unknown_certificate_gets_no_mail(tls: str, tmp_path: Path) -> None:
    _, context = self_signed(tmp_path, "127.0.0.1")
    unknown = FakeSmtp(tls=context, implicit_tls=tls == "implicit", extensions=("STARTTLS",))
    with fake_smtp(unknown) as server:
        reply = sent(server, settings={"smtp_tls": tls})
    assert reply.kind is ReplyKind.TRY_LATER
    assert server.taken == []


def test_words_said_in_clear_after_starttls_end_the_connection(tmp_path: Path) -> None:
    _, context = self_signed(tmp_path, "127.0.0.1")
    talkative = FakeSmtp(tls=context, extensions=("STARTTLS",))
    talkative.answer = lambda verb, _a: "220 go\r\n250 injected" if verb == "STARTTLS" else None
    with fake_smtp(talkative) as server:
        reply = sent(server, settings={"smtp_tls": "starttls"})
    assert reply.kind is ReplyKind.TRY_LATER
    assert reply.error is not None
    assert "between STARTTLS and the handshake" in reply.error


class _Keeping:
    """A handler of aiosmtpd: the second opinion on what goes over the wire."""

    def __init__(self) -> None:
        self.taken: list[tuple[str | None, list[str], bytes]] = []

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 OK id=1abc-23"


def test_another_servers_reading_of_the_wire_is_the_same(tmp_path: Path) -> None:
    certificate, context = self_signed(tmp_path, "127.0.0.1")
    keeping = _Keeping()
    (port,) = free_ports(1)
    controller = Controller(
        keeping,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        authenticator=lambda *_: AuthResult(success=True),
        decode_data=False,
    )
    controller.start()
    try:
        carrier = SmtpCarrier(timeout_s=5, trust=_trusting(certificate))
        settings = {"smtp_tls": "starttls", "smtp_user": "u", "smtp_password": "p"}
        reply = sent(FakeSmtp(port=port), carrier=carrier, settings=settings)
    finally:
        controller.stop()
    assert reply.kind is ReplyKind.TAKEN
    assert reply.message_ids == {HANDOVER: "1abc-23"}
    ((mail_from, recipients, content),) = keeping.taken
    assert (mail_from, recipients) == ("a@example.com", ["kim@example.org"])
    assert content.endswith(MAIL)


def test_many_mails_at_once_share_a_few_connections(server: FakeSmtp) -> None:
    carrier = SmtpCarrier(timeout_s=5)

    async def rounds() -> Reply:
        for _ in range(5):
            talks = (one(carrier, account(server.port), raw(), "kim@example.org") for _ in range(4))
            replies = await asyncio.gather(*talks)
        return replies[0]

    assert run(carrier, rounds).kind is ReplyKind.TAKEN
    assert len(server.taken) == 20
    assert server.connections == 4
