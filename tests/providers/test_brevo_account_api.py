"""Brevo's interface for accounts, with bodies as its reference shows them."""

from typing import Any

import pytest

from postroom.providers.account_api import AskFailed, DnsRecord, IdentityStatus, Purpose
from tests.providers.asking import ask
from tests.scripted_api import InTurn, scripted_api

DOMAIN = "GET /v3/senders/domains/example.com"
REGISTER = "POST /v3/senders/domains"
AUTHENTICATE = "PUT /v3/senders/domains/example.com/authenticate"
WEBHOOKS = "GET /v3/webhooks?type=transactional"
NOT_FOUND = {"code": "document_not_found", "message": "Domain not found"}


def record(host: str, value: str, status: bool) -> dict[str, Any]:
    return {"type": "TXT", "host_name": host, "value": value, "status": status}


def domain(authenticated: bool, dkim: bool = True) -> dict[str, Any]:
    return {
        "domain": "example.com",
        "verified": True,
        "authenticated": authenticated,
        "dns_records": {
            "dkim_record": record("mail._domainkey", "k=rsa;p=MIG", dkim),
            "brevo_code": record("@", "brevo-code:12", True),
            "dmarc_record": record("_dmarc", "v=DMARC1; p=none; rua=mailto:a@b.example", True),
        },
    }


RECORDS = (
    DnsRecord(Purpose.DKIM, "TXT", "mail._domainkey.example.com", "k=rsa;p=MIG"),
    DnsRecord(Purpose.OWNERSHIP, "TXT", "example.com", "brevo-code:12"),
    DnsRecord(
        Purpose.DMARC, "TXT", "_dmarc.example.com", "v=DMARC1; p=none; rua=mailto:a@b.example"
    ),
)


@pytest.mark.parametrize("status", [400, 404])
def test_a_domain_that_nobody_registered_is_registered_once(status: int) -> None:
    script = {
        DOMAIN: InTurn((status, NOT_FOUND), domain(False, dkim=False)),
        REGISTER: {"id": 1, "domain_name": "example.com", "message": "Domain added successfully."},
    }
    with scripted_api(script) as api:
        made = ask("brevo", api, lambda a, to: a.register(to, "example.com"), api_key="xkeysib-1")
    assert (made.status, made.aligned) == (IdentityStatus.PENDING, False)
    assert made.records == RECORDS
    assert api.asked == [DOMAIN, REGISTER, DOMAIN]
    assert api.bodies[1] == {"name": "example.com"}
    assert {one["api-key"] for one in api.headers} == {"xkeysib-1"}


def test_a_domain_that_is_authenticated_is_verified_and_nobody_is_asked_to_look() -> None:
    with scripted_api({DOMAIN: domain(True)}) as api:
        found = ask("brevo", api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned, found.note) == (IdentityStatus.VERIFIED, True, "")
    assert api.asked == [DOMAIN]


def test_a_domain_that_is_only_owned_is_looked_at_again_and_says_what_is_missing() -> None:
    refused = (400, {"code": "invalid_parameter", "message": "DKIM record does not match"})
    script = {DOMAIN: domain(False, dkim=False), AUTHENTICATE: refused}
    with scripted_api(script) as api:
        found = ask("brevo", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.aligned) == (IdentityStatus.PENDING, False)
    assert found.note == (
        "DKIM record does not match; Brevo does not see yet: mail._domainkey.example.com"
    )


def test_a_domain_whose_records_are_seen_at_last_is_verified_at_once() -> None:
    done = {"domain_name": "example.com", "message": "Domain has been authenticated successfully."}
    script = {DOMAIN: InTurn(domain(False), domain(True)), AUTHENTICATE: done}
    with scripted_api(script) as api:
        found = ask("brevo", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.note) == (IdentityStatus.VERIFIED, "")


def test_records_of_a_domain_below_another_get_their_full_names() -> None:
    told = domain(True) | {
        "domain": "news.example.com",
        "dns_records": {
            "dkim1Record": record("brevo1._domainkey.news", "b1.example", True) | {"type": "CNAME"},
            "brevo_code": record("news", "brevo-code:12", True),
        },
    }
    with scripted_api({"GET /v3/senders/domains/news.example.com": told}) as api:
        found = ask("brevo", api, lambda a, to: a.identity(to, "news.example.com"))
    assert found is not None
    assert found.records == (
        DnsRecord(Purpose.DKIM, "CNAME", "brevo1._domainkey.news.example.com", "b1.example"),
        DnsRecord(Purpose.OWNERSHIP, "TXT", "news.example.com", "brevo-code:12"),
    )


def test_a_domain_is_quoted_in_addresses() -> None:
    with scripted_api({"GET /v3/senders/domains/a%2F..%3Fb": (404, NOT_FOUND)}) as api:
        assert ask("brevo", api, lambda a, to: a.identity(to, "a/..?b")) is None


def test_a_domain_that_is_declined_says_why() -> None:
    declined = (400, {"code": "invalid_parameter", "message": "domain_name is not valid"})
    with scripted_api({DOMAIN: declined}) as api, pytest.raises(AskFailed, match="is not valid"):
        ask("brevo", api, lambda a, to: a.identity(to, "example.com"))


@pytest.mark.parametrize(
    ("enabled", "said"),
    [(True, []), (False, ["Brevo has not switched on transactional mail for this account."])],
)
def test_the_standing_says_whether_transactional_mail_is_on(enabled: bool, said: list[str]) -> None:
    account = {"email": "it@example.com", "relay": {"enabled": enabled, "data": {}}}
    with scripted_api({"GET /v3/account": account}) as api:
        first, *more = ask("brevo", api, lambda a, to: a.standing(to))
    assert first == "Brevo takes the API key."
    assert more == said


def test_a_webhook_tells_its_events_and_one_for_short_messages_is_left_out() -> None:
    url = "https://mail.example.com/feedback/main/x"
    told = [
        {"id": 1, "type": "transactional", "url": url, "events": ["sent", "delivered"]},
        {"id": 2, "type": "transactional", "channel": "sms", "url": url, "events": ["sent"]},
    ]
    with scripted_api({WEBHOOKS: {"webhooks": told}}) as api:
        (found,) = ask("brevo", api, lambda a, to: a.webhooks(to)) or ()
    assert found.events == {"request", "delivered"}
    assert (found.url, found.enabled, found.signed) == (url, True, None)


def test_an_account_without_webhooks_has_none() -> None:
    with scripted_api({WEBHOOKS: (404, NOT_FOUND)}) as api:
        assert ask("brevo", api, lambda a, to: a.webhooks(to)) == ()


def test_a_key_that_is_refused_says_so_and_is_not_repeated() -> None:
    refused = (401, {"code": "unauthorized", "message": "Key not found"})
    with scripted_api({"GET /v3/account": refused}) as api, pytest.raises(AskFailed) as raised:
        ask("brevo", api, lambda a, to: a.standing(to), api_key="xkeysib-secret")
    assert "refuses the credentials (401)" in str(raised.value)
    assert "xkeysib-secret" not in str(raised.value)


@pytest.mark.parametrize(
    "told", [["odd"], "odd", {"odd": 1}, domain(True) | {"dns_records": {"dkim_record": 3}}]
)
def test_an_answer_of_another_shape_is_said_to_be_one(told: object) -> None:
    script = {DOMAIN: told, AUTHENTICATE: {}}
    with scripted_api(script) as api, pytest.raises(AskFailed, match="documented"):
        ask("brevo", api, lambda a, to: a.identity(to, "example.com"))
