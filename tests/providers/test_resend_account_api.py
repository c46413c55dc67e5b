"""Resend's interface for accounts, with bodies as its reference shows them."""

from typing import Any

import pytest

from postroom.providers.account_api import AskFailed, DnsRecord, IdentityStatus, Purpose
from tests.providers.asking import ask
from tests.scripted_api import InTurn, scripted_api

LIST = "GET /domains?limit=100"
ONE = "GET /domains/d91c"
VERIFY = "POST /domains/d91c/verify"
WEBHOOKS = "GET /webhooks?limit=100"
KNOWN = {"object": "list", "has_more": False, "data": [{"id": "d91c", "name": "example.com"}]}
NONE = {"object": "list", "has_more": False, "data": []}


def record(kind: str, type: str, name: str, value: str, status: str, **more: Any) -> dict[str, Any]:
    told = {"record": kind, "type": type, "name": name, "value": value, "status": status}
    return told | {"ttl": "Auto"} | more


def domain(status: str, dkim: str = "verified", **changes: Any) -> dict[str, Any]:
    spf, mx = '"v=spf1 include:amazonses.com ~all"', "feedback-smtp.eu-west-1.amazonses.com"
    told = {
        "object": "domain",
        "id": "d91c",
        "name": "example.com",
        "status": status,
        "capabilities": {"sending": "enabled", "receiving": "disabled"},
        "records": [
            record("SPF", "MX", "send", mx, "verified", priority=10),
            record("SPF", "TXT", "send", spf, "verified"),
            record("DKIM", "CNAME", "abc._domainkey", "abc.dkim.amazonses.com.", dkim),
            record("Tracking", "CNAME", "links.example.com", "links1.resend-dns.com", "pending"),
            record("Receiving", "MX", "@", "inbound.resend.example", "not_started", priority=9),
        ],
    }
    return told | changes


RECORDS = (
    DnsRecord(
        Purpose.RETURN_PATH, "MX", "send.example.com", "10 feedback-smtp.eu-west-1.amazonses.com"
    ),
    DnsRecord(Purpose.RETURN_PATH, "TXT", "send.example.com", "v=spf1 include:amazonses.com ~all"),
    DnsRecord(Purpose.DKIM, "CNAME", "abc._domainkey.example.com", "abc.dkim.amazonses.com"),
    DnsRecord(Purpose.TRACKING, "CNAME", "links.example.com", "links1.resend-dns.com"),
)


def test_a_domain_that_nobody_registered_is_registered_once_without_tracking() -> None:
    made_there = (201, domain("not_started", dkim="not_started"))
    with scripted_api({LIST: NONE, "POST /domains": made_there}) as api:
        made = ask("resend", api, lambda a, to: a.register(to, "example.com"), api_key="re_1")
    assert (made.status, made.records) == (IdentityStatus.PENDING, RECORDS)
    assert api.bodies[1] == {"name": "example.com", "open_tracking": False, "click_tracking": False}
    assert {one["Authorization"] for one in api.headers} == {"Bearer re_1"}
    assert {one["User-Agent"] for one in api.headers} == {"Postroom"}


def test_a_domain_that_is_verified_is_found_and_nobody_is_asked_to_look() -> None:
    with scripted_api({LIST: KNOWN, ONE: domain("verified")}) as api:
        found = ask("resend", api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned, found.note) == (IdentityStatus.VERIFIED, True, "")
    assert api.asked == [LIST, ONE]


@pytest.mark.parametrize(
    ("before", "dkim", "after", "status"),
    [
        ("not_started", "pending", "pending", IdentityStatus.PENDING),
        ("failed", "failed", "failed", IdentityStatus.FAILED),
        ("partially_failed", "failed", "partially_failed", IdentityStatus.PENDING),
    ],
)
def test_a_domain_that_resend_has_not_seen_is_looked_at_again_and_says_what_is_missing(
    before: str, dkim: str, after: str, status: IdentityStatus
) -> None:
    script = {LIST: KNOWN, ONE: InTurn(domain(before, dkim), domain(after, dkim)), VERIFY: {}}
    with scripted_api(script) as api:
        found = ask("resend", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is status
    assert found.note == "Resend does not see yet: abc._domainkey.example.com"
    assert api.asked == [LIST, ONE, VERIFY, ONE]


def test_a_domain_at_which_resend_looks_by_itself_is_left_to_it() -> None:
    with scripted_api({LIST: KNOWN, ONE: domain("pending", dkim="pending")}) as api:
        found = ask("resend", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.PENDING
    assert api.asked == [LIST, ONE]


@pytest.mark.parametrize("status", ["partially_verified", "partially_failed"])
def test_a_domain_that_only_cannot_receive_is_verified(status: str) -> None:
    with scripted_api({LIST: KNOWN, ONE: domain(status)}) as api:
        found = ask("resend", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.VERIFIED


def test_a_domain_that_may_not_send_is_not_verified_and_says_so() -> None:
    told = domain("verified", capabilities={"sending": "disabled", "receiving": "enabled"})
    with scripted_api({LIST: KNOWN, ONE: told, VERIFY: {}}) as api:
        found = ask("resend", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.PENDING
    assert found.note == "sending is switched off for the domain at Resend"


def test_a_domain_on_a_later_page_is_found_and_its_id_is_quoted() -> None:
    first = {"has_more": True, "data": [{"id": "a&b", "name": "example.community"}]}
    second = {"has_more": False, "data": [{"id": "c/d", "name": "example.com"}]}
    script = {
        LIST: first,
        "GET /domains?limit=100&after=a%26b": second,
        "GET /domains/c%2Fd": domain("verified"),
    }
    with scripted_api(script) as api:
        found = ask("resend", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.VERIFIED


def test_pages_without_an_end_are_given_up() -> None:
    page = {"has_more": True, "data": [{"id": "a", "name": "example.community"}]}
    script = {LIST: page, "GET /domains?limit=100&after=a": page}
    with scripted_api(script) as api, pytest.raises(AskFailed, match="more than 5000 domains"):
        ask("resend", api, lambda a, to: a.identity(to, "example.com"))


def test_a_key_that_may_only_send_is_taken_and_says_what_it_cannot() -> None:
    told = (401, {"statusCode": 401, "name": "restricted_api_key", "message": "only send emails"})
    with scripted_api({"GET /domains?limit=1": told}) as api:
        first, lack = ask("resend", api, lambda a, to: a.standing(to))
    assert first == "Resend takes the API key."
    assert "may only send" in lack


def test_a_webhook_tells_its_events_and_that_it_signs() -> None:
    url = "https://mail.example.com/feedback/main/x"
    told = {"id": "1", "status": "enabled", "endpoint": url, "events": ["email.sent"]}
    off = told | {"status": "disabled", "endpoint": "https://other.example"}
    with scripted_api({WEBHOOKS: {"has_more": False, "data": [told, off]}}) as api:
        ours, other = ask("resend", api, lambda a, to: a.webhooks(to)) or ()
    assert ours.events == {"email.sent"}
    assert (ours.url, ours.enabled, ours.signed) == (url, True, True)
    assert other.enabled is False


def test_a_key_that_is_refused_says_so_and_is_not_repeated() -> None:
    refused = (401, {"statusCode": 401, "name": "invalid_api_key", "message": "API key is invalid"})
    with scripted_api({"GET /domains?limit=1": refused}) as api, pytest.raises(AskFailed) as raised:
        ask("resend", api, lambda a, to: a.standing(to), api_key="re_secret")
    assert "refuses the credentials (401): API key is invalid" in str(raised.value)
    assert "re_secret" not in str(raised.value)


@pytest.mark.parametrize(
    "told",
    [["odd"], "odd", {"odd": 1}, domain("verified", records=[3]), domain("verified", records="x")],
)
def test_an_answer_of_another_shape_is_said_to_be_one(told: object) -> None:
    with scripted_api({LIST: KNOWN, ONE: told}) as api, pytest.raises(AskFailed):
        ask("resend", api, lambda a, to: a.identity(to, "example.com"))
    with scripted_api({LIST: {"data": told}}) as api, pytest.raises(AskFailed):
        ask("resend", api, lambda a, to: a.identity(to, "example.com"))
