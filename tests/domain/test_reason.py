"""The order of decision: text before code, code before class; and 4 is not 5."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import PROVIDER_CLASSES
from postroom.domain.reason import REASONS, Fault, Permanence, Suppress, read
from postroom.domain.reason_codes import ENHANCED
from postroom.domain.reason_languages import LANGUAGE_RULES
from postroom.domain.reason_operators import OPERATOR_RULES
from postroom.domain.reason_rule import TextRule
from postroom.domain.reason_texts import by_text, by_weak_text, normalised
from postroom.domain.reason_weak import WEAK_RULES
from postroom.domain.reason_wordings import SYSTEM_RULES
from tests.domain.told import Event

NOW, REPEAT, NO = Suppress.NOW, Suppress.ON_REPEAT, Suppress.NO


@pytest.mark.parametrize(
    ("event", "reason", "suppress"),
    [
        # 4 is not 5: a server that cannot look the mailbox up says nothing about the mailbox.
        (Event(enhanced_code="4.1.1", diagnostic="450 4.1.1 User unknown"), "gave_up", REPEAT),
        (Event(EventType.DEFERRED, enhanced_code="4.1.1"), "receiver_down", NO),
        (Event(EventType.DEFERRED, enhanced_code="4.2.1"), "rate_limited", NO),
        (Event(enhanced_code="5.2.1"), "mailbox_disabled", REPEAT),
        (
            Event(
                enhanced_code="5.2.1",
                diagnostic="550 5.2.1 The user is receiving mail at a rate that prevents delivery",
            ),
            "rate_limited",
            NO,
        ),
        (Event(enhanced_code="5.3.2"), "receiver_down", NO),
        (Event(enhanced_code="5.1.10", diagnostic="556 5.1.10 null MX"), "domain_no_mail", NOW),
        (
            Event(enhanced_code="5.1.10", diagnostic="550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
            "address_unknown",
            NOW,
        ),
        (
            Event(
                enhanced_code="5.4.1",
                diagnostic="550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
            ),
            "address_unknown",
            NOW,
        ),
        (Event(enhanced_code="5.4.1", diagnostic="No answer from host"), "receiver_down", NO),
        (
            Event(
                recipient="someone@outlook.com",
                enhanced_code="5.5.0",
                diagnostic="550 5.5.0 Requested action not taken: mailbox unavailable",
            ),
            "address_unknown",
            NOW,
        ),
        (Event(enhanced_code="5.5.0", diagnostic="mailbox unavailable"), "unclassified", NO),
        (Event(enhanced_code="5.7.133"), "sender_not_permitted", NO),
        (Event(enhanced_code="5.7.606"), "reputation_block", NO),
        (Event(enhanced_code="5.7.515"), "auth_failed", NO),
        (Event(enhanced_code="5.7.25"), "ptr_or_ip_config", NO),
        (Event(recipient="a@gmail.com", enhanced_code="5.7.29"), "tls_required", NO),
        (Event(recipient="a@gmail.com", enhanced_code="5.7.30"), "auth_failed", NO),
        (Event(enhanced_code="5.7.30"), "tls_required", NO),
        (Event(enhanced_code="5.2.2"), "mailbox_full", REPEAT),
        (Event(enhanced_code="4.2.2", reply_code=452), "mailbox_full", REPEAT),
        (Event(EventType.DEFERRED, enhanced_code="4.2.2"), "mailbox_full", NO),
        (Event(enhanced_code="4.4.7", reply_code=550), "gave_up", REPEAT),
        (Event(enhanced_code="4.4.4"), "gave_up", REPEAT),
        (Event(EventType.DEFERRED, enhanced_code="4.4.4"), "routing_or_network", NO),
        (Event(enhanced_code="5.4.4"), "domain_unknown", REPEAT),
        (Event(reply_code=421, enhanced_code="5.1.1"), "gave_up", REPEAT),
        (Event(diagnostic="User unknown", given_up=True), "gave_up", REPEAT),
        (Event(diagnostic="This user doesn't have a yahoo.com account"), "address_unknown", NOW),
        (Event(reply_code=556), "domain_no_mail", NOW),
        (Event(reply_code=550), "unclassified", NO),
        (Event(), "unclassified", NO),
        (Event(EventType.COMPLAINED), "complained_before", NOW),
        (Event(EventType.UNSUBSCRIBED), "unsubscribed", NO),
        (Event(EventType.AUTO_REPLIED), "auto_reply", NO),
    ],
)
def test_an_event_reads_as_its_row_says(event: Event, reason: str, suppress: Suppress) -> None:
    reading = read(event)
    assert (reading.reason, reading.suppress) == (reason, suppress)


@pytest.mark.parametrize(
    ("event", "reason", "suppress"),
    [
        (
            Event(EventType.REJECTED, provider_class="Recipient List over Package Quota"),
            "provider_quota",
            NO,
        ),
        (Event(EventType.REJECTED, provider_class="Spam Content"), "provider_refused", NO),
        (Event(EventType.REJECTED, provider_class="a new reason"), "provider_refused", NO),
        (
            Event(EventType.SUPPRESSED, provider_class="Bounced Address"),
            "suppressed_by_provider",
            NO,
        ),
        (
            Event(EventType.SUPPRESSED, provider_class="Spam Reporting Address"),
            "suppressed_by_provider",
            NOW,
        ),
        (Event(provider_type="bounce", provider_class="Invalid Address"), "address_unknown", NOW),
        (Event(provider_type="blocked", provider_class="Invalid Address"), "address_unknown", NO),
        (Event(provider_type="blocked", enhanced_code="5.1.1"), "address_unknown", NO),
        (Event(provider_class="Mailbox Unavailable"), "mailbox_full", REPEAT),
        (Event(provider_class="Reputation", enhanced_code="5.1.1"), "address_unknown", NOW),
    ],
)
def test_sendgrid_s_classes_speak_where_text_and_code_are_silent(
    event: Event, reason: str, suppress: Suppress
) -> None:
    reading = read(event, "sendgrid")
    assert (reading.reason, reading.suppress) == (reason, suppress)


def test_a_provider_s_suppression_names_its_cause_where_the_provider_tells() -> None:
    complained = Event(EventType.SUPPRESSED, provider_class="Spam Reporting Address")
    assert read(complained, "sendgrid").cause == "complained_before"
    assert read(Event(EventType.SUPPRESSED), "sendgrid").cause is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "554 5.7.1 recipient address was suppressed due to customer policy",
            "suppressed_by_provider",
        ),
        ("554 5.7.1 refused by the receiving site's policy", "policy_refused"),
    ],
)
def test_sparkpost_s_class_25_is_decided_by_its_text(text: str, reason: str) -> None:
    event = Event(provider_class="25", enhanced_code="5.7.1", diagnostic=text)
    assert read(event, "sparkpost").reason == reason


def test_a_wrong_spelling_suppresses_only_what_our_own_parser_refuses_too() -> None:
    assert read(Event(recipient="someone@example.com", enhanced_code="5.1.3")).suppress is NO
    assert read(Event(recipient="someone@@example", enhanced_code="5.1.3")).suppress is NOW


def test_the_letters_of_an_address_never_meet_a_rule() -> None:
    said = "550 5.2.1 <spam.blacklist@user-unknown.example>: mailbox disabled"
    assert read(Event(enhanced_code="5.2.1", diagnostic=said)).reason == "mailbox_disabled"


@pytest.mark.parametrize(
    "text",
    [
        "550 5.7.1 <news@example.com>: Sender address rejected: User unknown",
        "550 Sender verify failed",
        "550 5.1.1 too many unknown users from your server",
        "450 4.1.1 User unknown",
    ],
)
def test_what_is_said_of_the_sender_never_suppresses_the_recipient(text: str) -> None:
    code = "4.1.1" if text.startswith("450") else None
    assert read(Event(enhanced_code=code, diagnostic=text)).suppress is not NOW


@pytest.mark.parametrize("type", list(EventType))
def test_types_that_are_no_failure_have_no_reason_of_their_own(type: EventType) -> None:
    reading = read(Event(type))
    told_by_type = {EventType.COMPLAINED, EventType.UNSUBSCRIBED, EventType.AUTO_REPLIED}
    failed = {EventType.BOUNCED, EventType.DEFERRED, EventType.REJECTED, EventType.SUPPRESSED}
    assert (reading.reason is not None) == (type in told_by_type | failed)


@pytest.mark.parametrize("code", sorted(ENHANCED))
def test_every_registered_code_gives_a_reason_and_class_4_never_suppresses_at_once(
    code: str,
) -> None:
    for recipient, type in product(
        ("a@gmail.com", "a@outlook.com", "@"), (EventType.BOUNCED, EventType.DEFERRED)
    ):
        hard = read(Event(type, recipient=recipient, enhanced_code=f"5.{code}"))
        soft = read(Event(type, recipient=recipient, enhanced_code=f"4.{code}"))
        assert {hard.reason, soft.reason} <= set(REASONS)
        assert soft.suppress is not NOW
        assert soft.permanence is Permanence.TEMPORARY


RULES = [*OPERATOR_RULES, *SYSTEM_RULES, *LANGUAGE_RULES, *WEAK_RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.reason}: {rule.phrases}")
def test_every_rule_has_a_source_and_can_speak(rule: TextRule) -> None:
    words = normalised(" ".join(rule.phrases))
    found = by_text(words, rule.operator, rule.code) or by_weak_text(words)
    assert rule.source
    assert rule.reason in REASONS
    assert found is not None
    assert found.reason == rule.reason


def test_every_reason_that_a_stranger_can_give_is_reachable() -> None:
    ours = {"suppressed_by_us"}
    reached = {rule.reason for rule in RULES} | set(ENHANCED.values())
    reached |= {row.reason for table in PROVIDER_CLASSES.values() for row in table.values()}
    reached |= {"complained_before", "unsubscribed", "auto_reply", "unclassified"}
    assert set(REASONS) - reached == ours


@pytest.mark.parametrize("name", sorted(REASONS))
def test_nobody_is_suppressed_for_another_s_fault(name: str) -> None:
    reason = REASONS[name]
    if reason.fault is not Fault.RECIPIENT:
        assert reason.suppress is (REPEAT if name == "gave_up" else NO)
    assert reason.advice.endswith(".")
    assert reason.source


texts = st.one_of(st.none(), st.text(max_size=300), st.sampled_from([r.phrases[0] for r in RULES]))
events = st.builds(
    Event,
    type=st.sampled_from(EventType),
    recipient=st.one_of(st.none(), st.text(max_size=40), st.just("a@outlook.com")),
    provider_type=st.sampled_from(["", "bounce", "blocked", "dropped"]),
    provider_class=st.one_of(
        st.text(max_size=10), st.sampled_from(sorted(PROVIDER_CLASSES["sendgrid"]))
    ),
    reply_code=st.one_of(st.none(), st.integers(-5, 1000)),
    enhanced_code=st.one_of(
        st.none(), st.text(max_size=9), st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}")
    ),
    diagnostic=texts,
    remote_host=st.one_of(st.none(), st.text(max_size=30)),
    given_up=st.booleans(),
)


@given(events, st.sampled_from(["", "sendgrid", "sparkpost", "unheard of"]))
def test_reading_is_total_and_a_temporary_failure_never_suppresses_at_once(
    event: Event, provider: str
) -> None:
    reading = read(event, provider)
    assert reading.reason is None or reading.reason in REASONS
    if event.type is EventType.DEFERRED:
        assert reading.suppress is NO
    if event.type is EventType.BOUNCED and (event.enhanced_code or "").startswith("4."):
        assert reading.suppress is not NOW
    assert read(replace(event), provider) == reading


@pytest.mark.parametrize(
    "piece", ["a", "5.1.1", "<", "@", " 550-", "\n", "smtp;", "550 5.1.1 ", "ip & "]
)
def test_ten_megabytes_of_text_are_read_as_fast_as_a_page(piece: str) -> None:
    long = Event(diagnostic=piece * (10_000_000 // len(piece)))
    assert len(normalised(long.diagnostic or "")) < 40_000
    assert read(long).reason in REASONS
