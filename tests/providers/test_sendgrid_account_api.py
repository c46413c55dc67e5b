"""SendGrid's interface for accounts, with bodies as its reference shows them."""

import pytest

from postroom.providers.account_api import AskFailed, DnsRecord, IdentityStatus, Purpose
from tests.providers.asking import ask
from tests.scripted_api import scripted_api

SEARCH = "GET /v3/whitelabel/domains?limit=50&domain=example.com"
WEBHOOKS = "GET /v3/user/webhooks/event/settings/all"
DNS = {
    "mail_cname": {
        "valid": False,
        "type": "cname",
        "host": "em1.example.com",
        "data": "u7.wl.sendgrid.net",
    },
    "dkim1": {
        "valid": False,
        "type": "cname",
        "host": "s1._domainkey.example.com",
        "data": "s1.domainkey.u7.wl.sendgrid.net",
    },
}
DOMAIN = {"id": 45, "domain": "example.com", "valid": False, "dns": DNS}
RECORDS = (
    DnsRecord(Purpose.RETURN_PATH, "CNAME", "em1.example.com", "u7.wl.sendgrid.net"),
    DnsRecord(
        Purpose.DKIM, "CNAME", "s1._domainkey.example.com", "s1.domainkey.u7.wl.sendgrid.net"
    ),
)


def test_a_domain_that_nobody_registered_is_registered_once() -> None:
    script = {SEARCH: [], "POST /v3/whitelabel/domains": (201, DOMAIN)}
    with scripted_api(script) as api:
        made = ask("sendgrid", api, lambda a, to: a.register(to, "example.com"), api_key="SG.x")
    assert made.status is IdentityStatus.PENDING
    assert made.records == RECORDS
    assert api.bodies[1] == {"domain": "example.com", "automatic_security": True, "default": False}
    assert {one["Authorization"] for one in api.headers} == {"Bearer SG.x"}


def test_a_domain_that_is_valid_is_verified_and_nobody_is_asked_to_look() -> None:
    with scripted_api({SEARCH: [DOMAIN | {"valid": True}]}) as api:
        found = ask("sendgrid", api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned) == (IdentityStatus.VERIFIED, True)
    assert api.asked == [SEARCH]


def test_a_domain_that_is_not_valid_yet_is_looked_at_again_and_says_what_is_missing() -> None:
    look = {
        "id": 45,
        "valid": False,
        "validation_results": {
            "mail_cname": {"valid": True, "reason": None},
            "dkim1": {"valid": False, "reason": "Expected CNAME for s1._domainkey.example.com"},
        },
    }
    with scripted_api({SEARCH: [DOMAIN], "POST /v3/whitelabel/domains/45/validate": look}) as api:
        found = ask("sendgrid", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.PENDING
    assert found.note == "Expected CNAME for s1._domainkey.example.com"
    assert found.records == RECORDS


def test_a_domain_that_only_looks_alike_is_not_taken_for_it() -> None:
    with scripted_api({SEARCH: [DOMAIN | {"domain": "example.community"}]}) as api:
        assert ask("sendgrid", api, lambda a, to: a.identity(to, "example.com")) is None


def test_the_standing_names_what_the_key_may_not() -> None:
    with scripted_api({"GET /v3/scopes": {"scopes": ["mail.send", "whitelabel.read"]}}) as api:
        first, lack = ask("sendgrid", api, lambda a, to: a.standing(to))
    assert first == "SendGrid takes the API key."
    assert "user.webhooks.event.settings.read" in lack


def test_a_webhook_tells_its_events_and_whether_it_signs() -> None:
    told = {"id": "1", "enabled": True, "url": "https://mail.example.com/feedback/main/x",
            "delivered": True, "bounce": True, "open": False, "public_key": "MFkw"}  # fmt: skip
    with scripted_api({WEBHOOKS: {"max_allowed": 2, "webhooks": [told]}}) as api:
        (found,) = ask("sendgrid", api, lambda a, to: a.webhooks(to)) or ()
    assert found.events == {"delivered", "bounce"}
    assert (found.enabled, found.signed) == (True, True)


def test_a_key_that_is_refused_says_so_and_is_not_repeated() -> None:
    refused = (401, {"errors": [{"field": None, "message": "authorization required"}]})
    with scripted_api({"GET /v3/scopes": refused}) as api, pytest.raises(AskFailed) as raised:
        ask("sendgrid", api, lambda a, to: a.standing(to), api_key="SG.secret")
    assert "refuses the credentials (401)" in str(raised.value)
    assert "SG.secret" not in str(raised.value)


def test_an_answer_that_is_no_json_is_said_to_be_none() -> None:
    with scripted_api({}) as api, pytest.raises(AskFailed, match="404"):
        ask("sendgrid", api, lambda a, to: a.standing(to))


@pytest.mark.parametrize(
    "told", [{"odd": 1}, ["odd"], "odd", [DOMAIN | {"valid": True, "dns": {"dkim1": 3}}]]
)
def test_an_answer_of_another_shape_is_said_to_be_one(told: object) -> None:
    with scripted_api({SEARCH: told}) as api, pytest.raises(AskFailed, match="documented"):
        ask("sendgrid", api, lambda a, to: a.identity(to, "example.com"))
