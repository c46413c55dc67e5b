"""SparkPost's interface for accounts, with bodies as its reference shows them."""

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
from postroom.providers.sparkpost import SparkPostAccountApi
from postroom.providers.sparkpost.events import TYPES
from tests.providers.asking import ask
from tests.scripted_api import ScriptedApi, scripted_api

T = TypeVar("T")

GET = "GET /api/v1/sending-domains/example.com"
CREATE = "POST /api/v1/sending-domains"
VERIFY = "POST /api/v1/sending-domains/example.com/verify"
ACCOUNT = "GET /api/v1/account?include=usage"
WEBHOOKS = "GET /api/v1/webhooks"
UNKNOWN = (404, {"errors": [{"message": "resource not found", "code": "1600"}]})
REFUSED = (403, {"errors": [{"message": "Forbidden."}]})
DKIM = {"public": "MIGf", "selector": "scph1126", "headers": "from:to:subject:date"}
RECORD = DnsRecord(
    Purpose.DKIM, "TXT", "scph1126._domainkey.example.com", "v=DKIM1; k=rsa; h=sha256; p=MIGf"
)


def told(dkim_status: str, *, dkim: object = DKIM, **status: Any) -> dict[str, Any]:
    whole = {
        "ownership_verified": dkim_status == "valid",
        "dkim_status": dkim_status,
        "cname_status": "unverified",
        "compliance_status": "valid",
    }
    return {"results": {"status": whole | status, "dkim": dkim}}


def looked(dkim_status: str, **dns: str) -> dict[str, Any]:
    return {"results": {"ownership_verified": False, "dkim_status": dkim_status, "dns": dns}}


def ask_sparkpost(api: ScriptedApi, question: Callable[[AccountApi, Account], Awaitable[T]]) -> T:
    return ask("sparkpost", api, question, api_key="key-secret")


def test_a_domain_that_nobody_registered_is_registered_once() -> None:
    created = {"results": {"message": "Successfully Created domain.", "domain": "example.com",
                           "dkim": DKIM | {"signing_domain": "example.com"}}}  # fmt: skip
    with scripted_api({GET: UNKNOWN, CREATE: created}) as api:
        made = ask_sparkpost(api, lambda a, to: a.register(to, "example.com"))
    assert (made.status, made.aligned) == (IdentityStatus.PENDING, True)
    assert made.records == (RECORD,)
    assert api.asked == [GET, CREATE]
    assert api.bodies[1] == {"domain": "example.com", "dkim_key_length": 2048}
    assert {one["Authorization"] for one in api.headers} == {"key-secret"}


def test_a_domain_that_is_valid_is_verified_and_nobody_is_asked_to_look() -> None:
    with scripted_api({GET: told("valid")}) as api:
        found = ask_sparkpost(api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned, found.note) == (IdentityStatus.VERIFIED, True, "")
    assert found.records == (RECORD,)
    assert api.asked == [GET]


def test_a_domain_that_is_not_valid_yet_is_looked_at_again_and_says_what_is_missing() -> None:
    script = {GET: told("unverified"), VERIFY: looked("invalid", dkim_error="no TXT record")}
    with scripted_api(script) as api:
        found = ask_sparkpost(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.note) == (IdentityStatus.PENDING, "no TXT record")
    assert found.records == (RECORD,)
    assert api.bodies[1] == {"dkim_verify": True}


def test_a_look_may_find_the_domain_in_order() -> None:
    with scripted_api({GET: told("unverified"), VERIFY: looked("valid")}) as api:
        found = ask_sparkpost(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.note) == (IdentityStatus.VERIFIED, "")


def test_a_domain_whose_owner_is_known_by_a_mailbox_alone_is_not_signed_for() -> None:
    proved = told("unverified", ownership_verified=True, abuse_at_status="valid")
    with scripted_api({GET: proved, VERIFY: looked("unverified")}) as api:
        found = ask_sparkpost(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.PENDING


def test_a_blocked_domain_has_failed() -> None:
    with scripted_api({GET: told("valid", compliance_status="blocked")}) as api:
        found = ask_sparkpost(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.note) == (
        IdentityStatus.FAILED,
        "SparkPost has blocked the domain",
    )


def test_a_domain_without_a_key_asks_for_no_record_and_says_so() -> None:
    with scripted_api({GET: told("unverified", dkim=None), VERIFY: looked("unverified")}) as api:
        found = ask_sparkpost(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.records == ()
    assert "has no DKIM key" in found.note


@pytest.mark.parametrize(
    ("signing_domain", "aligned"),
    [("mail.example.com", True), ("example.com", True), ("esp.example", False)],
)
def test_a_signing_domain_of_its_own_decides_the_alignment(
    signing_domain: str, aligned: bool
) -> None:
    dkim = DKIM | {"signing_domain": signing_domain}
    with scripted_api({GET: told("valid", dkim=dkim)}) as api:
        found = ask_sparkpost(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.aligned is aligned
    assert found.records[0].host == f"scph1126._domainkey.{signing_domain}"


def test_an_unknown_domain_is_unknown() -> None:
    with scripted_api({GET: UNKNOWN}) as api:
        assert ask_sparkpost(api, lambda a, to: a.identity(to, "example.com")) is None


def test_a_domain_is_one_step_of_a_path_whatever_is_in_it() -> None:
    with scripted_api({}) as api, pytest.raises(AskFailed):
        ask_sparkpost(api, lambda a, to: a.identity(to, "x/../../account?y"))
    assert api.asked == ["GET /api/v1/sending-domains/x%2F..%2F..%2Faccount%3Fy"]


def test_the_standing_tells_the_account_and_its_quota() -> None:
    usage = {"day": {"used": 22003, "limit": 50000}, "month": {"used": 122596, "limit": 0}}
    results = {"status": "suspended", "status_reason_category": "NONPAYMENT", "usage": usage}
    with scripted_api({ACCOUNT: {"results": results}}) as api:
        sentences = ask_sparkpost(api, lambda a, to: a.standing(to))
    assert sentences == [
        "SparkPost takes the API key.",
        "The account is suspended (NONPAYMENT).",
        "22003 of 50000 mails are used this day.",
        "122596 mails are used this month.",
    ]


def test_an_account_that_is_active_and_not_counted_says_no_more() -> None:
    results = {"status": "active", "status_reason_category": ""}
    with scripted_api({ACCOUNT: {"results": results}}) as api:
        sentences = ask_sparkpost(api, lambda a, to: a.standing(to))
    assert sentences == ["SparkPost takes the API key."]


def test_a_webhook_tells_its_events_its_login_and_whether_it_is_switched_on() -> None:
    url = "https://mail.example.com/feedback/main/x"
    hook = {"id": "1", "name": "ours", "target": url, "events": ["delivery", "bounce"]}
    hooks = [
        hook | {"active": True, "auth_type": "basic"},
        hook | {"active": False, "auth_type": "none"},
    ]
    script = {WEBHOOKS: {"results": hooks}}
    with scripted_api(script) as api:
        on, off = ask_sparkpost(api, lambda a, to: a.webhooks(to)) or ()
    assert (on.url, on.signed) == (url, None)
    assert on.events == {"delivery", "bounce"}
    assert (on.enabled, off.enabled) == (True, False)
    assert (on.login, off.login) == (True, False)


def test_every_event_that_is_wanted_is_one_that_we_read() -> None:
    assert set(TYPES) >= SparkPostAccountApi.wanted_events


def test_a_key_that_may_not_read_the_account_is_taken_all_the_same() -> None:
    with scripted_api({ACCOUNT: REFUSED, WEBHOOKS: {"results": []}}) as api:
        sentences = ask_sparkpost(api, lambda a, to: a.standing(to))
    assert sentences == [
        "SparkPost takes the API key.",
        "It may not read the account: suspension and quota are not told.",
    ]


def test_a_key_that_is_refused_says_what_it_needs_and_is_not_repeated() -> None:
    script = {ACCOUNT: REFUSED, WEBHOOKS: REFUSED}
    with scripted_api(script) as api, pytest.raises(AskFailed) as raised:
        ask_sparkpost(api, lambda a, to: a.standing(to))
    assert "refuses the credentials (403)" in str(raised.value)
    assert "Sending Domains: Read/Write" in str(raised.value)
    assert "key-secret" not in str(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"odd": 1},
        ["odd"],
        "odd",
        (404, {"message": "another server"}),
        {"results": {"status": "odd"}},
        told("valid", dkim=[1]),
        told("valid", dkim={"public": "MIGf"}),
    ],
)
def test_an_answer_of_another_shape_is_said_to_be_one(answer: object) -> None:
    with scripted_api({GET: answer}) as api, pytest.raises(AskFailed, match="documented"):
        ask_sparkpost(api, lambda a, to: a.identity(to, "example.com"))


@pytest.mark.parametrize("answer", [{}, {"results": [1]}, {"results": {"usage": {"day": {}}}}])
def test_a_standing_of_another_shape_is_said_to_be_one(answer: object) -> None:
    with scripted_api({ACCOUNT: answer}) as api, pytest.raises(AskFailed, match="documented"):
        ask_sparkpost(api, lambda a, to: a.standing(to))
