"""A receiving domain that asks for less slows its own mail, and no one else's."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from postroom.ledger import receivers
from postroom.sending.slow_receivers import SlowReceivers
from tests.fake_smtp import FakeSmtp, fake_smtp
from tests.helpers import eventually
from tests.ledger.making import claim, now
from tests.sending.posting import add_account, people, post_smtp, rows, sending

pytestmark = pytest.mark.usefixtures("ledger")

MAIL = b"From: a@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"
TOO_MUCH = "450 4.7.28 The recipient's domain is receiving mail at a rate that is too high"


class Overrun:
    """A server whose slow.example asks for less until it is told to be content."""

    def __init__(self) -> None:
        self.is_content = False
        self.asked_for_less = 0

    def __call__(self, verb: str, argument: str) -> str | None:
        if verb != "RCPT" or "@slow.example" not in argument or self.is_content:
            return None
        self.asked_for_less += 1
        return TOO_MUCH


def of(server: FakeSmtp, domain: str) -> int:
    return sum(one.endswith(f"@{domain}") for one in server.recipients())


def test_a_domain_that_asks_for_less_slows_its_own_mail_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receivers, "REST_S", 0.5)
    answer = Overrun()
    with fake_smtp(FakeSmtp(answer=answer)) as server:
        add_account(server=server)
        post_smtp([f"p{n}@slow.example" for n in range(300)], MAIL)
        post_smtp(people(100), MAIL)
        with sending(), sending():
            eventually(lambda: of(server, "example.org") == 100)
            (slow,) = receivers.slowed()
            assert (slow.receiver, slow.simulated) == ("slow.example", True)
            assert answer.asked_for_less < 100, "what was in hand went back to the queue"
            assert rows("SELECT FROM account_pace WHERE rest_until > now()") == []
            answer.is_content = True
            eventually(lambda: of(server, "slow.example") >= 3, within_s=30)
            assert of(server, "slow.example") < 200, "it goes on at its pace"


def test_mail_waits_that_was_claimed_before_its_receiver_asked_and_no_other() -> None:
    slow = SlowReceivers(lease_s=60)
    post_smtp([*people(1), "p@slow.example"], MAIL)
    early = claim()
    receivers.asked_for_less(True, ["p@slow.example"], now())
    asyncio.run(slow.refresh())
    by_domain = {one.recipient.partition("@")[2]: one for one in early}
    assert slow.concern([by_domain["slow.example"]])
    assert not slow.concern([by_domain["example.org"]])
    assert not slow.concern(early), "a call to both is made"
    later = replace(by_domain["slow.example"], lease_until=now() + timedelta(seconds=61))
    assert not slow.concern([later])
