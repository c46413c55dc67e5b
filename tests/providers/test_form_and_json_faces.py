"""Providers that take forms and JSON, both ways over real sockets: through their faces and back."""

import html
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.domain.template import parse
from postroom.providers.base import (
    Account,
    CannotCarry,
    Copy,
    Heard,
    NotAuthentic,
    RawMail,
    ReplyKind,
    Stored,
)
from postroom.providers.registry import PROVIDERS
from postroom.sending.mime import build
from postroom.simulator.faces import new_face_config
from postroom.simulator.steps import What
from postroom.simulator.truth import digest_of_content, digest_of_mail, digest_of_rest
from tests.helpers import eventually, free_ports
from tests.providers.line import Line, to
from tests.simulator.rig import Receiver, Running, config

NAMES = ["mailgun", "mailjet", "brevo", "postmark", "sparkpost", "resend"]
SIGNED = {"mailgun", "resend"}
LIMITS = {
    "mailgun": 1_000,
    "mailjet": 50,
    "brevo": 1_000,
    "postmark": 500,
    "sparkpost": 2_000,
    "resend": 100,
}
RAW_ROADS = [
    ("mailgun", "mailgun_mime"),
    ("mailgun", "mailgun_smtp"),
    ("mailjet", "mailjet_smtp"),
    ("brevo", "brevo_smtp"),
    ("postmark", "postmark_smtp"),
    ("sparkpost", "sparkpost_mime"),
    ("sparkpost", "sparkpost_smtp"),
]
RAW = (
    b"From: Desk <desk@postroom.example>\r\nTo: everybody@example.org, kim@sim.example\r\n"
    b"Cc: boss@example.org\r\nMessage-ID: <mine@postroom.example>\r\nSubject: Prices\r\n\r\n"
    b"Prices in \xe2\x82\xac.\r\n.\r\n"
)
CONTENT = Content(
    Mailbox("desk@postroom.example", "Desk"),
    "Prices {{ year }}",
    text="New prices, {{ name }}: 5 \u20ac",
    html="<p>New prices, {{ name }}</p>",
)
PDF = Attachment("prices.pdf", "application/pdf", b"%PDF-1.7 \x00\xff" * 40)
LOGO = Attachment("logo.png", "image/png", b"\x89PNG\r\n\x1a\n" * 40, "logo.png")
INVITE = Attachment("", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.status = 200
    yield made
    made.close()


@pytest.fixture
def line(tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[Line]:
    """The parameter is the provider's name."""
    name: str = request.param
    (port,) = free_ports(1)
    url = receiver.url.replace("http://", "http://teller:s%20cret@")
    face = new_face_config(name, receiver.url if name in SIGNED else url)
    running = Running(config(tmp_path, None, http_port=port, faces={name: face}, time_scale=0.05))
    settings = {
        "endpoint": f"http://127.0.0.1:{port}/{name}",
        "domain": "mg.postroom.example",
        "api_key": face.get("api_key", ""),
        "server_token": face.get("server_token", ""),
        "api_secret": face.get("api_secret", ""),
        "webhook_signing_key": face.get("webhook_signing_key", ""),
        "webhook_secret": face.get("webhook_secret", ""),
        "smtp_host": "127.0.0.1",
        "smtp_port": str(running.simulator.smtp_port),
        **login(face, name),
        "smtp_tls": "none",
    }
    if name not in SIGNED:
        settings |= {"webhook_user": "teller", "webhook_password": "s cret"}
    yield Line(Account(1, name, name, True, settings), running, receiver)
    running.close()


def login(face: dict[str, Any], name: str) -> dict[str, str]:
    """What the SMTP interface asks for."""
    if name == "postmark":
        return {"smtp_user": face["server_token"], "smtp_password": face["server_token"]}
    if name == "sparkpost":
        return {"smtp_user": "SMTP_Injection", "smtp_password": face["api_key"]}
    return {
        "smtp_user": face.get("smtp_user", face["api_key"]),
        "smtp_password": face.get("smtp_password", face.get("api_secret", "")),
    }


each_provider = pytest.mark.parametrize("line", NAMES, indirect=True)


def raw(*copies: Copy) -> RawMail:
    digest = sha256(RAW).digest()
    whole = (Stored(digest, 0, len(RAW)),)
    return RawMail(
        "desk@postroom.example", {copy.handover_id: whole for copy in copies}, {digest: RAW}
    )


def expected(content: Content, copy: Copy, rest: bytes = b"") -> str:
    """The digest of what this recipient is to get."""
    texts = [
        ("text/plain", parse(content.text or "").render(copy.vars)),
        ("text/html", parse(content.html or "").render(copy.vars, html.escape)),
    ]
    return digest_of_content(parse(content.subject).render(copy.vars), texts, rest)


def as_told(provider: str, *attachments: Attachment) -> bytes:
    """The digest of these attachments in the provider's own fields."""
    told: dict[str, Any] = {
        "mailgun": lambda each, kind: {
            "name": each.filename,
            "type": each.content_type,
            "disposition": kind,
            "content": b64encode(each.content).decode(),
        },
        "mailjet": lambda each, _kind: (
            {
                "ContentType": each.content_type,
                "Filename": each.filename,
                "Base64Content": b64encode(each.content).decode(),
            }
            | ({"ContentID": each.content_id} if each.content_id else {})
        ),
        "brevo": lambda each, _kind: {
            "name": each.filename,
            "content": b64encode(each.content).decode(),
        },
        "postmark": lambda each, _kind: (
            {
                "Name": each.filename,
                "Content": b64encode(each.content).decode(),
                "ContentType": each.content_type,
            }
            | ({"ContentID": f"cid:{each.content_id}"} if each.content_id else {})
        ),
        "sparkpost": lambda each, _kind: {
            "name": each.filename,
            "type": each.content_type,
            "data": b64encode(each.content).decode(),
        },
        "resend": lambda each, _kind: (
            {
                "filename": each.filename,
                "content": b64encode(each.content).decode(),
                "content_type": each.content_type,
            }
            | ({"content_id": each.content_id} if each.content_id else {})
        ),
    }
    kinds = ["inline" if each.content_id else "attachment" for each in attachments]
    make = told[provider]
    return digest_of_rest([make(each, kind) for each, kind in zip(attachments, kinds, strict=True)])


@each_provider
def test_a_mail_arrives_with_its_own_values_and_all_events_come_back(line: Line) -> None:
    kim = to("delivered", name='K\u00efm <b>&"')
    (reply,) = line.send(CONTENT, kim)
    assert reply.kind is ReplyKind.TAKEN, reply
    (taken,) = line.taken(kim)
    assert taken.copy.digest == expected(CONTENT, kim)
    assert reply.message_ids[kim.handover_id] == taken.copy.message_id.strip("<>")
    heard = line.heard()
    assert {one.handover_id for one in heard} == {kim.handover_id}
    assert heard[-1].type is EventType.DELIVERED
    assert {one.provider_message_id for one in heard} == set(reply.message_ids.values())


@each_provider
@pytest.mark.parametrize("over", [0, 1])
def test_each_of_many_sees_the_own_address_and_nobody_elses(line: Line, over: int) -> None:
    limit = LIMITS[line.account.provider]
    copies = [to(f"person{n}", "example.org", year=str(n)) for n in range(limit + over)]
    replies = line.send(CONTENT, *copies)
    assert [reply.kind for reply in replies] == [ReplyKind.TAKEN] * (1 + over)
    truth = line.running.truth.by_handover()
    # Postmark says at once who stands on its list.
    listed = {id for reply in replies for id in reply.refused}
    assert len(listed) <= 5 * (line.account.provider == "postmark")
    assert truth.keys() == {
        str(copy.handover_id) for copy in copies if copy.handover_id not in listed
    }
    for copy in (each for each in copies if each.handover_id not in listed):
        (taken,) = truth[str(copy.handover_id)]
        assert taken.copy.to == (copy.recipient,)
        assert taken.copy.cc == ()
        assert taken.copy.digest == expected(CONTENT, copy)


@each_provider
def test_attachments_arrive_as_they_are(line: Line) -> None:
    kim = to("delivered")
    content = replace(CONTENT, attachments=(PDF,))
    assert line.send(content, kim)[0].kind is ReplyKind.TAKEN
    (taken,) = line.taken(kim)
    assert taken.copy.digest == expected(content, kim, as_told(line.account.provider, PDF))


@pytest.mark.parametrize(
    "line", ["mailgun", "mailjet", "postmark", "sparkpost", "resend"], indirect=True
)
def test_an_inline_image_stays_inline(line: Line) -> None:
    kim = to("delivered")
    content = replace(CONTENT, attachments=(PDF, LOGO))
    assert line.send(content, kim)[0].kind is ReplyKind.TAKEN
    (taken,) = line.taken(kim)
    assert taken.copy.digest == expected(content, kim, as_told(line.account.provider, PDF, LOGO))


@pytest.mark.parametrize(("line", "road"), RAW_ROADS, indirect=["line"])
@pytest.mark.parametrize("attachments", [(LOGO,), (INVITE,)], ids=["inline image", "invitation"])
def test_what_the_first_road_cannot_say_arrives_by_a_raw_one(
    line: Line, road: str, attachments: tuple[Attachment, ...]
) -> None:
    kim, content = to("delivered"), replace(CONTENT, attachments=attachments)
    if attachments == (INVITE,):
        with pytest.raises(CannotCarry):
            line.send(content, kim)
    mail = build(content, datetime.now(UTC)).mail([kim])
    if (road, attachments) == ("postmark_smtp", (INVITE,)):
        with pytest.raises(CannotCarry):
            line.send(mail, kim, road=road)
        return
    (reply,) = line.send(mail, kim, road=road)
    assert reply.kind is ReplyKind.TAKEN, reply
    assert len(line.taken(kim)) == 1


@pytest.mark.parametrize(("line", "road"), RAW_ROADS, indirect=["line"])
def test_a_raw_mail_arrives_byte_for_byte_for_its_one_recipient(line: Line, road: str) -> None:
    kim = to("delivered")
    (reply,) = line.send(raw(kim), kim, road=road)
    assert reply.kind is ReplyKind.TAKEN, reply
    (taken,) = line.taken(kim)
    own = b"X-Mailin-custom: postroom_handover:%s\r\n" % str(kim.handover_id).encode()
    mail = own + RAW if road == "brevo_smtp" else RAW
    assert taken.copy.recipient == "delivered@sim.example"
    assert taken.copy.digest == digest_of_mail(mail)
    assert line.heard()[-1].handover_id == kim.handover_id


@each_provider
def test_a_domain_beyond_ascii_is_written_to(line: Line) -> None:
    kim = to("delivered", "xn--mller-kva.example")
    assert line.send(CONTENT, kim)[0].kind is ReplyKind.TAKEN
    assert line.taken(kim)[0].copy.recipient == "delivered@xn--mller-kva.example"


@each_provider
def test_a_throttled_call_succeeds_later(line: Line) -> None:
    kim = to("delivered")
    line.running.make_mischief(too_many=1.0)
    (reply,) = line.send(CONTENT, kim)
    assert (reply.kind, reply.status) == (ReplyKind.TRY_LATER, 429)
    line.running.make_mischief()
    assert line.send(CONTENT, kim)[0].kind is ReplyKind.TAKEN
    assert len(line.taken(kim)) == 1


@each_provider
def test_an_error_of_the_service_leaves_the_outcome_open(line: Line) -> None:
    kim = to("delivered")
    line.running.make_mischief(error_before=1.0, error_status=500)
    (reply,) = line.send(CONTENT, kim)
    assert reply.kind is ReplyKind.UNKNOWN
    assert line.taken(kim) == []


@pytest.mark.parametrize(
    "line", ["mailgun", "mailjet", "postmark", "sparkpost", "resend"], indirect=True
)
@pytest.mark.parametrize("mischief", ["hang_after", "drop_after"])
def test_a_mail_whose_answer_was_lost_is_proved_taken_by_its_events(
    line: Line, mischief: str
) -> None:
    kim = to("delivered")
    line.running.make_mischief(**{mischief: 1.0})
    (reply,) = line.send(CONTENT, kim, timeout_s=1.0)
    assert reply.kind is ReplyKind.UNKNOWN
    assert line.heard()[-1].type is EventType.DELIVERED
    assert len(line.taken(kim)) == 1


@pytest.mark.parametrize("line", ["brevo"], indirect=True)
@pytest.mark.parametrize("mischief", ["hang_after", "drop_after"])
def test_a_mail_whose_answer_was_lost_is_taken_once_and_known_to_be(
    line: Line, mischief: str
) -> None:
    kim = to("delivered")
    line.running.make_mischief(**{mischief: 1.0})
    (reply,) = line.send(CONTENT, kim, timeout_s=2.0)
    assert (reply.kind, reply.status) == (ReplyKind.TAKEN, 400)
    assert len(line.taken(kim)) == 1


@each_provider
def test_the_refusal_of_one_recipient_is_that_ones_alone(line: Line) -> None:
    good, bad = to("delivered"), to("refuse")
    (reply,) = line.send(CONTENT, good, bad)
    if line.account.provider in {"mailgun", "sparkpost"}:
        # They name nobody. Mailgun takes none, and the sender halves the call; SparkPost takes the
        # others without saying whom, and its events tell.
        taken = line.account.provider == "sparkpost"
        kind = ReplyKind.UNKNOWN if taken else ReplyKind.REFUSED
        assert (reply.kind, reply.refused) == (kind, {})
        (reply,) = line.send(CONTENT, bad)
    assert list(reply.refused) == [bad.handover_id]
    assert reply.refused[bad.handover_id].reason == "address_syntax"
    assert line.taken(bad) == []
    assert len(line.taken(good)) == (line.account.provider not in {"mailgun", "brevo"})


@pytest.mark.parametrize("line", ["postmark"], indirect=True)
def test_an_address_on_the_provider_s_list_is_refused_with_that_reason(line: Line) -> None:
    listed = to("suppressed")
    (reply,) = line.send(CONTENT, listed)
    assert reply.refused[listed.handover_id].reason == "suppressed_by_provider"
    assert line.taken(listed) == []


@each_provider
def test_a_wrong_key_stops_the_account_and_blames_no_mail(line: Line) -> None:
    settings = {**line.account.settings, "api_key": "another", "server_token": "another"}
    line.account = replace(line.account, settings=settings)
    (reply,) = line.send(CONTENT, to("delivered"))
    assert (reply.kind, reply.refused) == (ReplyKind.ACCOUNT_STOPPED, {})


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
}
UNTOLD = {"postmark": {"suppressed"}, "resend": {"unsubscribe"}}
"""Postmark says of an address on its list in the answer that it takes no mail for it. Resend leaves
it to the sender to hear of those who want no more."""
ENDS = {
    What.DELIVERED: EventType.DELIVERED,
    What.BOUNCED: EventType.BOUNCED,
    What.DROPPED: EventType.SUPPRESSED,
}


@each_provider
def test_all_events_come_back_and_agree_with_the_truth(line: Line) -> None:
    untold = UNTOLD.get(line.account.provider, set())
    copies = {local: to(local) for local in FATES.keys() - untold}
    line.send(CONTENT, *copies.values())
    by_handover: dict[UUID | None, list[Heard]] = {}
    for one in line.heard():
        by_handover.setdefault(one.handover_id, []).append(one)
    assert by_handover.keys() == {copy.handover_id for copy in copies.values()}
    for local, copy in copies.items():
        heard, (taken,) = by_handover[copy.handover_id], line.taken(copy)
        readings = {(one.type.value, read(one, line.account.provider).reason) for one in heard}
        assert FATES[local] in readings, (local, readings)
        final = taken.final
        assert final is not None
        assert ENDS[final.what] in {one.type for one in heard}, local


@each_provider
def test_a_forged_notification_is_refused_and_the_true_one_believed(line: Line) -> None:
    kim = to("delivered")
    line.running.make_mischief(webhook_forge=1.0)
    line.send(CONTENT, kim)
    eventually(lambda: line.running.truth.copies and line.running.is_settled(), 20)
    receiver = PROVIDERS[line.account.provider].receiver
    assert receiver is not None
    believed: list[EventType] = []
    refused = 0
    for post in line.receiver.posts:
        headers = {name.lower(): value for name, value in post.headers.items()}
        try:
            receiver.verify(line.account, headers, post.body, datetime.now(UTC))
        except NotAuthentic:
            refused += 1
        else:
            believed += [one.type for one in receiver.parse(headers, post.body)]
    assert refused >= 1
    assert EventType.DELIVERED in believed
    assert EventType.BOUNCED not in believed
