"""Amazon SES both ways over real sockets: through the simulator's face and back by its topic."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.providers.base import (
    Account,
    Carrier,
    Copy,
    Heard,
    NotAuthentic,
    RawMail,
    Reply,
    ReplyKind,
    Stored,
)
from postroom.providers.ses import SesCarrier, SesReceiver, SesSmtpCarrier
from postroom.sending.mime import build
from postroom.simulator.faces import new_face_config
from postroom.simulator.steps import What
from postroom.simulator.truth import TakenCopy, digest_of_mail
from tests.helpers import eventually, free_ports
from tests.simulator.rig import Receiver, Running, config

TOPIC = "arn:aws:sns:eu-west-1:123456789012:simulator"
RAW = (
    b"From: Desk <desk@postroom.example>\r\nTo: everybody@example.org, kim@sim.example\r\n"
    b"Cc: boss@example.org\r\nMessage-ID: <mine@postroom.example>\r\nSubject: Prices\r\n\r\n"
    b"Prices in \xe2\x82\xac.\r\n.\r\n"
)
ICON = Attachment("icon.png", "image/png", b"\x89PNG\r\n\x1a\n" * 40, "icon")
FILE = Attachment("prices \u20ac.csv", "text/csv", b"a;b\r\n" * 400)
INVITE = Attachment("", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")


@dataclass
class Line:
    """An account at the simulator, and what it tells."""

    account: Account
    running: Running
    receiver: Receiver

    def send(self, mail: RawMail, *copies: Copy, carrier: Carrier | None = None) -> list[Reply]:
        """The replies, a call for each copy."""
        return asyncio.run(self._send(mail, copies, carrier or SesCarrier(5.0)))

    async def _send(self, mail: RawMail, copies: Sequence[Copy], carrier: Carrier) -> list[Reply]:
        try:
            calls = carrier.compose(self.account, mail, copies)
            return [await carrier.hand_over(self.account, call) for call in calls]
        finally:
            await carrier.close()

    def taken(self, copy: Copy) -> list[TakenCopy]:
        """What the provider took of it."""
        return self.running.truth.by_handover().get(str(copy.handover_id), [])

    def heard(self) -> list[Heard]:
        """Every event, once all is told; each proved by its signature."""
        eventually(lambda: self.running.truth.copies and self.running.is_settled(), 20)
        receiver, now = SesReceiver(), datetime.now(UTC)
        found: list[Heard] = []
        for post in self.receiver.posts:
            headers = {name.lower(): value for name, value in post.headers.items()}
            receiver.verify(self.account, headers, post.body, now)
            found += receiver.parse(headers, post.body)
        return found

    def types(self, copy: Copy) -> list[EventType]:
        """Of its events, in the order in which they came."""
        return [one.type for one in self.heard() if one.handover_id == copy.handover_id]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def line(tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[Line]:
    """Settings of the face may come as the fixture's parameter."""
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}/ses"
    more: dict[str, Any] = getattr(request, "param", {})
    face = new_face_config("ses", receiver.url, sns_endpoint=f"{endpoint}/sns", **more)
    running = Running(config(tmp_path, None, http_port=port, faces={"ses": face}))
    settings = {
        "endpoint": endpoint,
        "region": "eu-west-1",
        "access_key_id": face["access_key_id"],
        "secret_access_key": face["secret_access_key"],
        "topic_arns": TOPIC,
        "sns_endpoint": f"{endpoint}/sns",
        "configuration_set": "plain",
        "smtp_host": "127.0.0.1",
        "smtp_port": str(running.simulator.smtp_port),
        "smtp_user": face["smtp_user"],
        "smtp_password": face["smtp_password"],
        "smtp_tls": "none",
    }
    yield Line(Account(1, "amazon", "ses", True, settings), running, receiver)
    running.close()


def to(local: str, domain: str = "sim.example") -> Copy:
    return Copy(uuid4(), f"{local}@{domain}")


def raw(*copies: Copy) -> RawMail:
    digest = sha256(RAW).digest()
    whole = (Stored(digest, 0, len(RAW)),)
    return RawMail(
        "desk@postroom.example", {copy.handover_id: whole for copy in copies}, {digest: RAW}
    )


def written(content: Content, *copies: Copy) -> RawMail:
    return build(content, datetime.now(UTC)).mail(list(copies))


def content(**more: Any) -> Content:
    sender = Mailbox("desk@postroom.example", "Desk")
    return Content(sender, "Prices {{ year }}", **({"text": "New prices, {{ name }}."} | more))


def bytes_of(mail: RawMail, copy: Copy) -> bytes:
    return b"".join(
        piece
        if isinstance(piece, bytes)
        else mail.shared[piece.digest][piece.start :][: piece.length]
        for piece in mail.copies[copy.handover_id]
    )


@pytest.mark.parametrize("carrier", [SesCarrier, SesSmtpCarrier])
def test_a_raw_mail_arrives_byte_for_byte_for_its_one_recipient(
    line: Line, carrier: type[SesCarrier | SesSmtpCarrier]
) -> None:
    kim = to("delivered")
    (reply,) = line.send(raw(kim), kim, carrier=carrier(5.0))
    assert reply.kind is ReplyKind.TAKEN, reply
    (taken,) = line.taken(kim)
    assert taken.copy.recipient == "delivered@sim.example"
    assert taken.copy.digest == digest_of_mail(RAW)
    assert reply.message_ids == {kim.handover_id: taken.copy.message_id}
    assert line.types(kim) == [EventType.ACCEPTED, EventType.DELIVERED]


def test_each_of_many_sees_the_own_address_and_nobody_elses(line: Line) -> None:
    copies = [
        Copy(uuid4(), f"person{n}@sim.example", f"Person {n}", {"name": str(n), "year": "2027"})
        for n in range(25)
    ]
    mail = written(content(html="<p>New prices, {{ name }}.</p>"), *copies)
    replies = line.send(mail, *copies)
    assert {reply.kind for reply in replies} == {ReplyKind.TAKEN}
    for copy in copies:
        (taken,) = line.taken(copy)
        assert taken.copy.to == (copy.recipient,)
        assert taken.copy.digest == digest_of_mail(bytes_of(mail, copy))


@pytest.mark.parametrize(
    "attachments",
    [(FILE,), (ICON,), (INVITE,)],
    ids=["attachment", "inline image", "invitation"],
)
def test_parts_of_every_kind_arrive_as_they_were_built(
    line: Line, attachments: tuple[Attachment, ...]
) -> None:
    kim = Copy(uuid4(), "delivered@sim.example", "Kim", {"name": "K\u00efm", "year": "2027"})
    mail = written(content(html='<img src="cid:icon">', attachments=attachments), kim)
    (reply,) = line.send(mail, kim)
    assert reply.kind is ReplyKind.TAKEN, reply
    (taken,) = line.taken(kim)
    assert taken.copy.digest == digest_of_mail(bytes_of(mail, kim))


def test_a_domain_beyond_ascii_is_written_to_and_a_local_part_is_not(line: Line) -> None:
    good, bad = to("delivered", "m\u00fcller.example"), to("k\u00efm")
    taken, refused = line.send(raw(good, bad), good, bad)
    assert taken.kind is ReplyKind.TAKEN, taken
    assert line.taken(good)[0].copy.recipient == "delivered@xn--mller-kva.example"
    assert refused.refused[bad.handover_id].reason == "charset_unsupported"


def test_a_throttled_call_succeeds_later(line: Line) -> None:
    kim = to("delivered")
    line.running.make_mischief(too_many=1.0)
    (reply,) = line.send(raw(kim), kim)
    assert (reply.kind, reply.status) == (ReplyKind.TRY_LATER, 429)
    line.running.make_mischief()
    (reply,) = line.send(raw(kim), kim)
    assert reply.kind is ReplyKind.TAKEN
    assert len(line.taken(kim)) == 1


def test_an_error_of_the_service_leaves_the_outcome_open(line: Line) -> None:
    kim = to("delivered")
    line.running.make_mischief(error_before=1.0, error_status=500)
    (reply,) = line.send(raw(kim), kim)
    assert reply.kind is ReplyKind.UNKNOWN
    assert line.taken(kim) == []


@pytest.mark.parametrize("mischief", ["hang_after", "drop_after"])
def test_a_mail_whose_answer_was_lost_is_proved_taken_by_its_events(
    line: Line, mischief: str
) -> None:
    kim = to("delivered")
    line.running.make_mischief(**{mischief: 1.0})
    (reply,) = line.send(raw(kim), kim, carrier=SesCarrier(1.0))
    assert reply.kind is ReplyKind.UNKNOWN
    assert EventType.ACCEPTED in line.types(kim)


def test_the_refusal_of_one_recipient_is_that_ones_alone(line: Line) -> None:
    good, bad = to("delivered"), to("refuse")
    taken, refused = line.send(raw(good, bad), good, bad)
    assert taken.kind is ReplyKind.TAKEN
    assert refused.kind is ReplyKind.REFUSED
    assert refused.refused.keys() == {bad.handover_id}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"secret_access_key": "another"}, ReplyKind.ACCOUNT_STOPPED),
        ({"access_key_id": "AKIANOBODY"}, ReplyKind.ACCOUNT_STOPPED),
        ({"region": "us-east-1"}, ReplyKind.ACCOUNT_STOPPED),
        ({"configuration_set": "missing"}, ReplyKind.ACCOUNT_STOPPED),
        ({}, ReplyKind.TAKEN),
    ],
)
@pytest.mark.parametrize("line", [{"configuration_sets": ["plain"]}], indirect=True)
def test_wrong_credentials_and_sets_stop_the_account_and_blame_no_mail(
    line: Line, changes: dict[str, str], kind: ReplyKind
) -> None:
    kim = to("delivered")
    line.account = Account(1, "amazon", "ses", True, {**line.account.settings, **changes})
    (reply,) = line.send(raw(kim), kim)
    assert reply.kind is kind, reply


@pytest.mark.parametrize("line", [{"verified_domains": ["example.com"]}], indirect=True)
def test_an_unverified_from_is_the_fault_of_this_mail(line: Line) -> None:
    kim = to("delivered")
    (reply,) = line.send(raw(kim), kim)
    assert reply.refused[kim.handover_id].reason == "provider_refused"
    assert "not verified" in reply.refused[kim.handover_id].text


FATES = {
    "delivered": ("delivered", None),
    "bounce": ("bounced", "address_unknown"),
    "full": ("bounced", "mailbox_full"),
    "defer": ("bounced", "gave_up"),
    "defer-then-deliver": ("delivered", None),
    "late-bounce": ("bounced", "address_unknown"),
    "block": ("bounced", "reputation_block"),
    "spam": ("bounced", "content_refused"),
    "complain": ("complained", "complained_before"),
    "suppressed": ("suppressed", "suppressed_by_provider"),
    "open": ("opened", None),
    "click": ("clicked", None),
    "unsubscribe": ("unsubscribed", "unsubscribed"),
    "ooto": ("auto_replied", "auto_reply"),
}
LAST = {
    What.DELIVERED: EventType.DELIVERED,
    What.BOUNCED: EventType.BOUNCED,
    What.DROPPED: EventType.SUPPRESSED,
}


@pytest.mark.parametrize("line", [{"signature_version": "2"}], indirect=True)
def test_all_events_come_back_and_agree_with_the_truth(line: Line) -> None:
    copies = {local: to(local) for local in FATES}
    line.send(raw(*copies.values()), *copies.values())
    by_handover: dict[UUID | None, list[Heard]] = {}
    for one in line.heard():
        by_handover.setdefault(one.handover_id, []).append(one)
    for local, copy in copies.items():
        heard, (taken,) = by_handover[copy.handover_id], line.taken(copy)
        assert len(heard) == len(taken.facts), local
        last = heard[-1]
        assert (last.type.value, read(last, "ses").reason) == FATES[local], local
        final = taken.final
        assert final is not None
        assert LAST[final.what] in {one.type for one in heard}, local


def test_a_forged_notification_is_refused_and_the_true_one_believed(line: Line) -> None:
    kim = to("delivered")
    line.running.make_mischief(webhook_forge=1.0)
    line.send(raw(kim), kim)
    eventually(lambda: line.running.truth.copies and line.running.is_settled(), 20)
    receiver, believed, refused = SesReceiver(), [], 0
    for post in line.receiver.posts:
        try:
            receiver.verify(line.account, {}, post.body, datetime.now(UTC))
        except NotAuthentic:
            refused += 1
        else:
            believed += [one.type for one in receiver.parse({}, post.body)]
    assert refused == 2
    assert sorted(believed) == [EventType.ACCEPTED, EventType.DELIVERED]


def test_a_fact_that_is_published_again_is_the_same_fact(line: Line) -> None:
    kim = to("delivered")
    line.running.make_mischief(webhook_reissue=1.0, webhook_repeat=1.0)
    line.send(raw(kim), kim)
    eventually(lambda: len(line.receiver.posts) >= 6, 20)
    facts = {(one.provider_type, one.occurred_raw) for one in line.heard()}
    assert len(facts) == 2
