"""Mailgun's interface for accounts, with bodies as its reference shows them."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from postroom.providers.account_api import (
    AccountApi,
    AskFailed,
    DnsRecord,
    IdentityStatus,
    Purpose,
)
from postroom.providers.base import Account
from tests.providers.asking import ask
from tests.scripted_api import ScriptedApi, scripted_api

T = TypeVar("T")

GET = "GET /v4/domains/mg.example.com"
CREATE = "POST /v4/domains"
VERIFY = "PUT /v4/domains/mg.example.com/verify"
DOMAIN_WEBHOOKS = "GET /v3/domains/mg.example.com/webhooks"
ACCOUNT_WEBHOOKS = "GET /v1/webhooks"
UNKNOWN = (404, {"message": "Domain not found"})
OURS = "https://mail.example.com/feedback/main/x"
SENDING = [
    {"record_type": "TXT", "valid": "unknown", "name": "pic._domainkey.mg.example.com",
     "value": "k=rsa; p=MIGf", "cached": []},
    {"record_type": "TXT", "valid": "valid", "name": "mg.example.com",
     "value": "v=spf1 include:mailgun.org ~all", "cached": ["v=spf1 include:mailgun.org ~all"]},
    {"record_type": "CNAME", "valid": "valid", "name": "email.mg.example.com",
     "value": "mailgun.org", "cached": ["mailgun.org"]},
]  # fmt: skip
RECEIVING = [
    {"record_type": "MX", "valid": "unknown", "priority": "10", "name": "mg.example.com",
     "value": "mxa.mailgun.org", "cached": []},
]  # fmt: skip
RECORDS = (
    DnsRecord(Purpose.DKIM, "TXT", "pic._domainkey.mg.example.com", "k=rsa; p=MIGf"),
    DnsRecord(Purpose.RETURN_PATH, "TXT", "mg.example.com", "v=spf1 include:mailgun.org ~all"),
    DnsRecord(Purpose.TRACKING, "CNAME", "email.mg.example.com", "mailgun.org"),
    DnsRecord(Purpose.RETURN_PATH, "MX", "mg.example.com", "10 mxa.mailgun.org"),
)


def told(state: str, **domain: Any) -> dict[str, Any]:
    return {
        "domain": {"name": "mg.example.com", "state": state, "type": "custom"} | domain,
        "sending_dns_records": SENDING,
        "receiving_dns_records": RECEIVING,
    }


def ask_mailgun(
    api: ScriptedApi, question: Callable[[AccountApi, Account], Awaitable[T]], **settings: str
) -> T:
    whole = {"domain": "mg.example.com", "api_key": "key-secret"} | settings
    return ask("mailgun", api, question, **whole)


def basic(key: str) -> str:
    return "Basic " + b64encode(f"api:{key}".encode()).decode()


def test_the_sending_domain_is_registered_once() -> None:
    with scripted_api({GET: UNKNOWN, CREATE: told("unverified")}) as api:
        made = ask_mailgun(api, lambda a, to: a.register(to, "example.com"))
    assert (made.status, made.aligned) == (IdentityStatus.PENDING, True)
    assert made.records == RECORDS
    assert api.asked == [GET, CREATE]
    assert 'name="name"\r\n\r\nmg.example.com\r\n' in api.bodies[1]
    assert 'name="dkim_key_size"\r\n\r\n2048\r\n' in api.bodies[1]
    assert api.headers[1]["Content-Type"].startswith("multipart/form-data; boundary=")
    assert {one["Authorization"] for one in api.headers} == {basic("key-secret")}


def test_a_domain_that_is_active_is_verified_and_nobody_is_asked_to_look() -> None:
    with scripted_api({GET: told("active")}) as api:
        found = ask_mailgun(api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned) == (IdentityStatus.VERIFIED, True)
    assert api.asked == [GET]


def test_a_domain_that_is_unverified_is_looked_at_again_and_says_what_is_missing() -> None:
    with scripted_api({GET: told("unverified"), VERIFY: told("unverified")}) as api:
        found = ask_mailgun(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.PENDING
    assert found.note == "TXT pic._domainkey.mg.example.com not seen"
    assert api.asked == [GET, VERIFY]


def test_a_look_may_find_the_domain_in_order() -> None:
    with scripted_api({GET: told("unverified"), VERIFY: told("active")}) as api:
        found = ask_mailgun(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.VERIFIED


def test_a_disabled_domain_has_failed_with_mailguns_reason() -> None:
    disabled = told("disabled", disabled={"code": "x", "reason": "too many complaints"})
    with scripted_api({GET: disabled}) as api:
        found = ask_mailgun(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.note) == (IdentityStatus.FAILED, "too many complaints")


@pytest.mark.parametrize(
    ("from_domain", "aligned"),
    [
        ("mg.example.com", True),
        ("example.com", True),
        ("news.mg.example.com", True),
        ("g.example.com", False),
        ("other.example", False),
        ("mg.example.com.evil.example", False),
    ],
)
def test_only_a_from_domain_that_the_sending_domain_stands_for_is_aligned(
    from_domain: str, aligned: bool
) -> None:
    with scripted_api({GET: told("active")}) as api:
        found = ask_mailgun(api, lambda a, to: a.identity(to, from_domain))
    assert found is not None
    assert found.aligned is aligned
    assert bool(found.records) is aligned


def test_a_from_domain_that_the_account_cannot_sign_for_registers_nothing() -> None:
    with scripted_api({GET: UNKNOWN}) as api:
        found = ask_mailgun(api, lambda a, to: a.register(to, "other.example"))
    assert (found.aligned, found.records) == (False, ())
    assert "sends as mg.example.com" in found.note
    assert api.asked == [GET]


def test_the_mx_of_a_domain_where_people_read_mail_is_not_asked_for() -> None:
    with scripted_api({GET: told("active")}) as api:
        found = ask_mailgun(api, lambda a, to: a.identity(to, "mg.example.com"))
    assert found is not None
    assert "MX" not in {record.type for record in found.records}


def test_an_unknown_domain_is_unknown() -> None:
    with scripted_api({GET: UNKNOWN}) as api:
        assert ask_mailgun(api, lambda a, to: a.identity(to, "example.com")) is None


def test_an_account_without_a_domain_says_so() -> None:
    with scripted_api({}) as api, pytest.raises(AskFailed, match="setting domain is missing"):
        ask_mailgun(api, lambda a, to: a.identity(to, "example.com"), domain="")


def test_a_domain_is_one_step_of_a_path_whatever_is_in_it() -> None:
    with scripted_api({}) as api, pytest.raises(AskFailed):
        ask_mailgun(api, lambda a, to: a.identity(to, "example.com"), domain="x/../y?z")
    assert api.asked == ["GET /v4/domains/x%2F..%2Fy%3Fz"]


def test_the_standing_tells_how_the_domain_stands() -> None:
    with scripted_api({GET: told("unverified", type="sandbox")}) as api:
        sentences = ask_mailgun(api, lambda a, to: a.standing(to))
    assert sentences == [
        "Mailgun takes the API key.",
        "mg.example.com is unverified.",
        "It is a sandbox: mail reaches authorized recipients only.",
    ]


def test_a_domain_of_the_other_region_is_said_to_be_unknown_here() -> None:
    with scripted_api({GET: UNKNOWN}) as api, pytest.raises(AskFailed, match="European region"):
        ask_mailgun(api, lambda a, to: a.standing(to))


def test_webhooks_of_the_domain_and_of_the_account_are_told_together() -> None:
    script = {
        DOMAIN_WEBHOOKS: {
            "webhooks": {
                "delivered": {"urls": [OURS, "https://other.example/"]},
                "opened": {"url": OURS},
                "clicked": None,
            }
        },
        ACCOUNT_WEBHOOKS: {"webhooks": [{"url": OURS, "event_types": ["permanent_fail"]}]},
    }
    with scripted_api(script) as api:
        found = ask_mailgun(api, lambda a, to: a.webhooks(to)) or ()
    assert {one.url: one.events for one in found} == {
        OURS: {"delivered", "opened", "permanent_fail"},
        "https://other.example/": {"delivered"},
    }
    assert {(one.enabled, one.signed) for one in found} == {(True, True)}


def test_a_key_that_may_only_send_is_refused_with_what_to_do() -> None:
    refused = (401, {"message": "Forbidden"})
    with scripted_api({GET: refused}) as api, pytest.raises(AskFailed) as raised:
        ask_mailgun(api, lambda a, to: a.standing(to))
    assert "refuses the credentials (401)" in str(raised.value)
    assert "set account_api_key" in str(raised.value)
    assert "key-secret" not in str(raised.value)


def test_a_key_of_the_account_asks_where_there_is_one() -> None:
    refused = (401, {"message": "Forbidden"})
    with scripted_api({GET: refused}) as api, pytest.raises(AskFailed) as raised:
        ask_mailgun(api, lambda a, to: a.standing(to), account_api_key="key-of-account")
    assert api.headers[0]["Authorization"] == basic("key-of-account")
    assert "account_api_key" not in str(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"odd": 1},
        ["odd"],
        "odd",
        told("a new state"),
        (404, {"error": "another server"}),
        told("active") | {"sending_dns_records": [1]},
        told("active") | {"sending_dns_records": [{"name": "x"}]},
        told("active") | {"receiving_dns_records": "odd"},
    ],
)
def test_an_answer_of_another_shape_is_said_to_be_one(answer: object) -> None:
    with scripted_api({GET: answer}) as api, pytest.raises(AskFailed, match="documented"):
        ask_mailgun(api, lambda a, to: a.identity(to, "example.com"))


@pytest.mark.parametrize("answer", [{"webhooks": [1]}, {"webhooks": {"delivered": [1]}}])
def test_webhooks_of_another_shape_are_said_to_be_so(answer: object) -> None:
    script = {DOMAIN_WEBHOOKS: answer, ACCOUNT_WEBHOOKS: {"webhooks": []}}
    with scripted_api(script) as api, pytest.raises(AskFailed, match="documented"):
        ask_mailgun(api, lambda a, to: a.webhooks(to))
