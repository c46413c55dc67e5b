"""The road a mail takes follows from what roads declare, never from their names."""

import asyncio

import pytest

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS
from postroom.sending.roads import Carriers, Way, fitting, ways_of

JSON = {"api_key": "k"}
SMTP = {"smtp_host": "127.0.0.1"}
PLAIN = Content(Mailbox("a@example.com"), "Hi", text="x")
INVITE = Attachment("i.ics", "text/calendar; method=REQUEST", b"x")
FILE = Attachment("i.ics", "text/calendar", b"x")


def ways(*accounts: tuple[str, dict[str, str]]) -> list[Way]:
    """The ways of accounts, each a provider and its settings."""
    return ways_of(
        [
            Account(number, f"account{number}", provider, simulated=True, settings=settings)
            for number, (provider, settings) in enumerate(accounts)
        ],
        Carriers(5),
    )


def taken(content: Content | None, *accounts: tuple[str, dict[str, str]]) -> list[str]:
    """The roads that can carry a mail, the first one first."""
    return [way.road.name for way in fitting(content, ways(*accounts))]


def test_ordinary_http_mail_goes_by_json_first() -> None:
    assert taken(PLAIN, ("sendgrid", JSON | SMTP)) == ["sendgrid", "sendgrid_smtp"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        Content(PLAIN.sender, "Hi", text="x", cc=(Mailbox("b@example.com"),)),
        Content(PLAIN.sender, "Hi", text="x", display_to=(Mailbox("b@example.com"),)),
        Content(PLAIN.sender, "Hi", text="x", attachments=(INVITE,)),
        Content(PLAIN.sender, "Hi", text="x", message_id="<mine@example.com>"),
    ],
)
def test_what_json_cannot_carry_as_it_is_goes_by_smtp_or_not_at_all(
    content: Content | None,
) -> None:
    assert taken(content, ("sendgrid", JSON | SMTP)) == ["sendgrid_smtp"]
    assert taken(content, ("sendgrid", JSON), ("smtp", SMTP)) == ["smtp"]
    assert taken(content, ("sendgrid", JSON)) == []


def test_a_calendar_file_without_a_method_is_a_file() -> None:
    content = Content(PLAIN.sender, "Hi", text="x", attachments=(FILE,))
    assert taken(content, ("sendgrid", JSON))[0] == "sendgrid"


def test_accounts_are_asked_in_the_order_of_their_making() -> None:
    found = [way.account.id for way in fitting(PLAIN, ways(("smtp", SMTP), ("sendgrid", JSON)))]
    assert found == [0, 1]


def test_an_account_has_only_the_roads_that_it_is_set_up_for() -> None:
    assert taken(PLAIN, ("sendgrid", SMTP)) == ["sendgrid_smtp"]
    assert taken(PLAIN, ("sendgrid", {})) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_road_of_every_provider_can_be_made_and_let_go(provider: str) -> None:
    async def made() -> int:
        carriers = [road.make(5.0) for road in PROVIDERS[provider].roads]
        for carrier in carriers:
            await carrier.close()
        return len(carriers)

    assert asyncio.run(made()) > 0


def test_road_names_are_unique_for_they_stand_in_the_record() -> None:
    names = [road.name for provider in PROVIDERS.values() for road in provider.roads]
    assert len(set(names)) == len(names)
