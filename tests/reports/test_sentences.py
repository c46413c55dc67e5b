"""Every state is told in one plain sentence that begins with its answer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from postroom.domain.delivery import ANSWERS
from postroom.domain.reason import REASONS
from postroom.reports.sentences import HOLDS, advice, sentence

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Told:
    state: str
    reason: str | None = None
    due_at: datetime = NOON
    expires_at: datetime | None = None
    said_at: datetime | None = NOON
    changed_at: datetime = NOON
    after_acceptance: bool = False


@pytest.mark.parametrize("state", ANSWERS)
@pytest.mark.parametrize("reason", [None, "address_unknown", "suppressed_by_us", "asked"])
@pytest.mark.parametrize("said_at", [None, NOON])
def test_a_sentence_begins_with_the_answer_and_ends_with_a_full_stop(
    state: str, reason: str | None, said_at: datetime | None
) -> None:
    told = sentence(Told(state, reason, said_at=said_at))
    assert told.lower().startswith(ANSWERS[state].replace("_", " "))
    assert told.endswith(".")
    assert "None" not in told


@pytest.mark.parametrize("reason", [*REASONS, *HOLDS])
def test_every_reason_has_advice(reason: str) -> None:
    assert advice(reason)


def test_a_reason_of_another_release_is_named() -> None:
    assert advice("brand_new") == "The reason given is brand_new."


def test_a_deferral_says_why_and_until_when() -> None:
    told = sentence(Told("deferred", "greylisted"))
    assert "2026-11-27 12:00:00 UTC" in told
    assert REASONS["greylisted"].advice in told


def test_silence_says_since_when_and_what_would_tell() -> None:
    told = sentence(Told("unconfirmed"))
    assert "since 2026-11-24 12:00:00 UTC" in told
    assert "notification from the provider would still tell" in told


def test_a_late_bounce_says_that_it_was_taken_at_first() -> None:
    assert "took it at first" in sentence(Told("bounced", "mailbox_full", after_acceptance=True))


def test_what_waits_says_until_when_it_is_of_use() -> None:
    until = NOON + timedelta(hours=1)
    assert "until 2026-11-24 13:00:00 UTC" in sentence(Told("queued", expires_at=until))


def test_what_is_not_sent_says_so_once() -> None:
    assert sentence(Told("suppressed", "suppressed_by_us")).lower().count("not sent") == 1
