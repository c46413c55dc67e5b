"""What invites a wrong reading: each read as `postroom decode` and `postroom dsn` read it."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from postroom.domain.delivery import VERDICTS, EventType, Fact, Verdict, fold, grade_of
from postroom.management import decode
from postroom.providers.bounces import HANDOVER, RECIPIENT, BounceReceiver
from tests.providers import saying

JO, LIVE, GMAIL = "jo@corp.example", "jo@outlook.com", "jo@gmail.com"
DSN = "dsn"

REPLIES: dict[str, tuple[str, str, str, str]] = {
    "4.1.1": (JO, "450 4.1.1 Recipient address rejected: unverified", "gave_up", "on_repeat"),
    "4.2.1": (JO, "450 4.2.1 Mailbox busy", "rate_limited", "no"),
    "5.2.1 with a rate": (
        GMAIL,
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that",
        "rate_limited",
        "no",
    ),
    "5.2.1": (JO, "550 5.2.1 Mailbox disabled", "mailbox_disabled", "on_repeat"),
    "5.3.2": (JO, "554 5.3.2 System not accepting network messages", "receiver_down", "no"),
    "5.1.10 by Exchange": (
        JO,
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "address_unknown",
        "now",
    ),
    "5.1.10 by RFC 7505": (JO, "556 5.1.10 Domain has null MX", "domain_no_mail", "now"),
    "5.7.27, which means the sender": (
        JO,
        "550 5.7.27 Domain of the return path has null MX",
        "sender_refused",
        "no",
    ),
    "a guess": (JO, "550 user unknown, or refused as spam", "content_refused", "no"),
    "a verification that failed": (
        JO,
        "550 5.1.1 Recipient address rejected: undeliverable address: connect to mx: refused",
        "receiver_down",
        "no",
    ),
    "5.4.1 by Office 365": (
        JO,
        "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
        "address_unknown",
        "now",
    ),
    "5.4.1": (JO, "550 5.4.1 No answer from host", "receiver_down", "no"),
    "5.5.0 at outlook.com": (
        LIVE,
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
        "address_unknown",
        "now",
    ),
    "5.5.0": (
        JO,
        "550 5.5.0 Requested action not taken: mailbox unavailable",
        "unclassified",
        "no",
    ),
    "5.7.133": (
        JO,
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
        "sender_not_permitted",
        "no",
    ),
    "a full mailbox among the guesses": (
        JO,
        "550 The account does not exist or is full",
        "mailbox_full",
        "on_repeat",
    ),
}
"""The recipient, what its server said, and what that means."""

Row = dict[str, Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "told"


def _rows(teller: str, body: bytes, file: Path) -> list[Row]:
    """What the command prints about these bytes."""
    file.write_bytes(body)
    out, err = StringIO(), StringIO()
    if teller == DSN:
        status = decode.run_mails([str(file)], out, err)
    else:
        status = decode.run(teller, None, [str(file)], out, err)
    assert (status, err.getvalue()) == (0, "")
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _meaning(rows: Iterable[Row]) -> list[tuple[str, str | None, str]]:
    return [(row["type"], row["reason"], row["suppress"]) for row in rows]


@pytest.mark.parametrize("teller", [*saying.SAYING, DSN])
@pytest.mark.parametrize("name", REPLIES)
def test_the_same_reply_means_the_same_whoever_tells_it(teller: str, name: str, file: Path) -> None:
    recipient, words, reason, suppress = REPLIES[name]
    mail = saying.bounce_mail(recipient, words)
    body = mail if teller == DSN else saying.body(teller, recipient, words)
    rows = _rows(teller, body, file)
    assert [row["recipient"] for row in rows] == [recipient]
    assert _meaning(rows) == [("bounced", reason, suppress)]


FORWARDED = saying.bounce_mail(
    "j.doe@elsewhere.example",
    "550 5.1.1 User unknown",
    "5.1.1",
    more=f"Original-Recipient: rfc822; {JO}\n",
)


def test_a_forwarder_s_report_suppresses_nobody(file: Path) -> None:
    rows = _rows(DSN, FORWARDED, file)
    assert {row["recipient"]: (row["type"], row["suppress"]) for row in rows} == {
        "j.doe@elsewhere.example": ("bounced", "no"),
        JO: ("delivered", "no"),
    }


def test_at_our_return_path_a_foreign_recipient_means_that_ours_was_delivered() -> None:
    mail = saying.bounce_mail("j.doe@elsewhere.example", "550 5.1.1 User unknown", "5.1.1")
    notes = {HANDOVER: str(UUID(int=7)), RECIPIENT: JO}
    (heard,) = BounceReceiver().parse(notes, mail)
    assert (heard.type, heard.recipient) == (EventType.DELIVERED, JO)
    assert heard.handover_id == UUID(int=7)


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded", "delivered"])
def test_only_a_failed_recipient_is_a_failure(action: str, file: Path) -> None:
    mail = saying.bounce_mail(JO, "550 5.1.1 User unknown", "5.1.1", action)
    (row,) = _rows(DSN, mail, file)
    assert row["type"] in {"deferred", "delivered"}
    assert row["suppress"] == "no"


FEEDBACK = """From: fbl@mailbox.example
To: abuse@corp.example
Subject: FW: Hello
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
Version: 1
User-Agent: Loop/1.0
Original-Rcpt-To: jo@corp.example

--b
Content-Type: message/rfc822

From: news@corp.example
To: jo@corp.example
Subject: Hello

Hello
--b--
"""


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("abuse", [("complained", "complained_before", "now")]),
        ("fraud", [("complained", "complained_before", "now")]),
        ("not-spam", [("resubscribed", None, "no")]),
        ("opt-out", [("unsubscribed", "unsubscribed", "no")]),
        ("auth-failure", []),
        ("dmarc", []),
    ],
)
def test_feedback_means_what_its_type_says(kind: str, meaning: list[Any], file: Path) -> None:
    rows = _rows(DSN, FEEDBACK.format(kind=kind).encode(), file)
    assert _meaning(rows) == meaning
    assert {row["recipient"] for row in rows} <= {JO}


def _ses(name: str, **own: Any) -> bytes:
    object_name = name[0].lower() + name[1:]
    mail = {"messageId": "m", "destination": [JO], "timestamp": "2026-11-24T08:00:00.000Z"}
    return json.dumps({"eventType": name, "mail": mail, object_name: own}).encode()


def _sendgrid(**own: Any) -> bytes:
    return json.dumps([{"email": JO, "sg_message_id": "m", **own}]).encode()


def _sparkpost(name: str, **own: Any) -> bytes:
    event = {"type": name, "rcpt_to": JO, "transmission_id": "4", **own}
    return json.dumps([{"msys": {"message_event": event}}]).encode()


def _postmark(kind: str, **own: Any) -> bytes:
    event = {"RecordType": "Bounce", "Type": kind, "Email": JO, "MessageID": "m"}
    return json.dumps(event | own).encode()


LISTED = "554 5.7.1 recipient address was suppressed due to customer policy"
NOBODY_SAID_MORE = {"bouncedRecipients": [{"emailAddress": JO}]}
ON_A_LIST = ("suppressed", "suppressed_by_provider", "no")
AUTOMATIC = ("auto_replied", "auto_reply", "no")


@pytest.mark.parametrize(
    ("teller", "body", "meaning"),
    [
        (
            "sendgrid",
            _sendgrid(event="dropped", reason="Recipient List over Package Quota"),
            ("rejected", "provider_quota", "no"),
        ),
        ("sendgrid", _sendgrid(event="dropped", reason="Bounced Address"), ON_A_LIST),
        (
            "sendgrid",
            _sendgrid(event="bounce", type="blocked", reason="550 5.1.1 User unknown"),
            ("bounced", "address_unknown", "no"),
        ),
        (
            "sendgrid",
            _sendgrid(event="bounce", type="bounce", reason="unable to get mx info"),
            ("bounced", "domain_unknown", "on_repeat"),
        ),
        ("sparkpost", _sparkpost("bounce", bounce_class="25", raw_reason=LISTED), ON_A_LIST),
        (
            "sparkpost",
            _sparkpost("policy_rejection", bounce_class="25", raw_reason=LISTED),
            ON_A_LIST,
        ),
        (
            "sparkpost",
            _sparkpost("bounce", bounce_class="25", raw_reason="550 refused"),
            ("bounced", "policy_refused", "no"),
        ),
        ("sparkpost", _sparkpost("bounce", bounce_class="26", raw_reason=LISTED), ON_A_LIST),
        (
            "sparkpost",
            _sparkpost("bounce", bounce_class="26", raw_reason="550 refused"),
            ("bounced", "provider_refused", "no"),
        ),
        ("sparkpost", _sparkpost("out_of_band", bounce_class="60"), AUTOMATIC),
        ("sparkpost", _sparkpost("bounce", bounce_class="100"), AUTOMATIC),
        ("postmark", _postmark("AutoResponder"), AUTOMATIC),
        ("postmark", _postmark("ChallengeVerification"), AUTOMATIC),
        ("postmark", _postmark("AddressChange"), AUTOMATIC),
        ("ses", _ses("Complaint", complaintSubType="OnAccountSuppressionList"), ON_A_LIST),
        (
            "ses",
            _ses("Bounce", bounceType="Permanent", bounceSubType="Suppressed", **NOBODY_SAID_MORE),
            ON_A_LIST,
        ),
        (
            "ses",
            _ses("Bounce", bounceType="Transient", bounceSubType="General", **NOBODY_SAID_MORE),
            AUTOMATIC,
        ),
        ("ses", _ses("Complaint"), ("complained", "complained_before", "now")),
        (
            "ses",
            _ses("Complaint", complaintFeedbackType="not-spam"),
            ("resubscribed", None, "no"),
        ),
        (
            "mailjet",
            json.dumps({"event": "bounce", "error": "spam reporter", "email": JO}).encode(),
            ("bounced", "suppressed_by_provider", "no"),
        ),
    ],
)
def test_a_class_is_read_as_the_vendor_means_it(
    teller: str, body: bytes, meaning: tuple[str, str | None, str], file: Path
) -> None:
    assert _meaning(_rows(teller, body, file)) == [meaning]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("InternalFailure", "unclassified"),
        ("General", "unclassified"),
        ("MailboxFull", "mailbox_full"),
        ("SpamDetected", "reputation_block"),
        ("RecipientServerError", "receiver_down"),
        ("IPFailure", "reputation_block"),
        ("TransientCommunicationFailure", "routing_or_network"),
        ("BYOIPHostNameLookupUnavailable", "ptr_or_ip_config"),
        ("Undetermined", "unclassified"),
        ("SendingDeferral", "rate_limited"),
    ],
)
def test_each_kind_of_delay_has_its_own_reason_and_none_suppresses(
    kind: str, reason: str, file: Path
) -> None:
    body = _ses("DeliveryDelay", delayType=kind, delayedRecipients=[{"emailAddress": JO}])
    assert _meaning(_rows("ses", body, file)) == [("deferred", reason, "no")]


NOTICE = b"""From: Jo <jo@corp.example>
To: news@corp.example
Subject: Out of office
Auto-Submitted: auto-replied

I am away until Monday.
"""


def _fact(type: EventType, second: int) -> Fact:
    at = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=second)
    return Fact(UUID(int=7), grade_of(type), at, bytes([second]), VERDICTS[type])


@pytest.mark.parametrize(
    "before", [[EventType.ACCEPTED], [EventType.ACCEPTED, EventType.DELIVERED]]
)
def test_an_out_of_office_notice_means_delivered_with_and_without_a_delivery_before_it(
    before: list[EventType], file: Path
) -> None:
    (row,) = _rows(DSN, NOTICE, file)
    assert (row["type"], row["recipient"], row["suppress"]) == ("auto_replied", JO, "no")
    types = [*before, EventType(row["type"])]
    for order in permutations(types):
        folded = fold(_fact(type, second) for second, type in enumerate(order))
        assert folded is not None
        assert folded.verdict is Verdict.DELIVERED
