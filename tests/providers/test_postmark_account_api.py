"""Postmark's interface for accounts, with bodies as its documentation shows them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

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

LIST = "GET /domains?count=500&offset=0"
ONE = "GET /domains/36737"
CREATE = "POST /domains"
VERIFY_DKIM = "PUT /domains/36737/verifyDkim"
VERIFY_RETURN_PATH = "PUT /domains/36737/verifyReturnPath"
SERVER = "GET /server"
TOKEN_TRIED = "GET /domains?count=1&offset=0"
WEBHOOKS = "GET /webhooks?MessageStream=outbound"
NOBODY = {"TotalCount": 0, "Domains": []}
LISTED = {"TotalCount": 1, "Domains": [{"Name": "example.com", "ID": 36737}]}
PENDING = {
    "Name": "example.com",
    "DKIMVerified": False,
    "WeakDKIM": False,
    "DKIMHost": "",
    "DKIMTextValue": "",
    "DKIMPendingHost": "20261124pm._domainkey.example.com",
    "DKIMPendingTextValue": "k=rsa; p=MIGf",
    "DKIMUpdateStatus": "Pending",
    "ReturnPathDomain": "pm-bounces.example.com",
    "ReturnPathDomainVerified": False,
    "ReturnPathDomainCNAMEValue": "pm.mtasv.net",
    "ID": 36737,
}
VERIFIED = PENDING | {
    "DKIMVerified": True,
    "DKIMHost": "20261124pm._domainkey.example.com",
    "DKIMTextValue": "k=rsa; p=MIGf",
    "DKIMPendingHost": "",
    "DKIMPendingTextValue": "",
    "DKIMUpdateStatus": "Verified",
    "ReturnPathDomainVerified": True,
}
RECORDS = (
    DnsRecord(Purpose.DKIM, "TXT", "20261124pm._domainkey.example.com", "k=rsa; p=MIGf"),
    DnsRecord(Purpose.RETURN_PATH, "CNAME", "pm-bounces.example.com", "pm.mtasv.net"),
)
NAMELESS = {"DKIMHost": "x._domainkey.example.com"}
THE_SERVER = {"ID": 1, "Name": "Production", "SmtpApiActivated": True, "DeliveryType": "Live"}
TRIGGERS = {
    "Open": {"Enabled": True, "PostFirstOpenOnly": False},
    "Click": {"Enabled": True},
    "Delivery": {"Enabled": True},
    "Bounce": {"Enabled": False, "IncludeContent": False},
    "SpamComplaint": {"Enabled": False, "IncludeContent": False},
    "SubscriptionChange": {"Enabled": True},
}


def ask_postmark(
    api: ScriptedApi, question: Callable[[AccountApi, Account], Awaitable[T]], **settings: str
) -> T:
    whole = {"server_token": "server-secret", "account_token": "account-secret"} | settings
    return ask("postmark", api, question, **whole)


def test_a_domain_that_nobody_registered_is_registered_once() -> None:
    with scripted_api({LIST: NOBODY, CREATE: PENDING}) as api:
        made = ask_postmark(api, lambda a, to: a.register(to, "example.com"))
    assert (made.status, made.records) == (IdentityStatus.PENDING, RECORDS)
    assert api.asked == [LIST, CREATE]
    assert api.bodies[1] == {"Name": "example.com", "ReturnPathDomain": "pm-bounces.example.com"}
    assert {one["X-Postmark-Account-Token"] for one in api.headers} == {"account-secret"}
    assert not any("X-Postmark-Server-Token" in one for one in api.headers)


def test_a_domain_that_is_in_order_is_verified_and_nobody_is_asked_to_look() -> None:
    with scripted_api({LIST: LISTED, ONE: VERIFIED}) as api:
        found = ask_postmark(api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned, found.note) == (IdentityStatus.VERIFIED, True, "")
    assert found.records == RECORDS
    assert api.asked == [LIST, ONE]


def test_a_domain_that_is_pending_is_looked_at_again_and_says_what_is_missing() -> None:
    script = {LIST: LISTED, ONE: PENDING, VERIFY_DKIM: PENDING, VERIFY_RETURN_PATH: PENDING}
    with scripted_api(script) as api:
        found = ask_postmark(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.PENDING
    assert found.note == "DKIM not seen; return path not seen"
    assert api.asked == [LIST, ONE, VERIFY_DKIM, VERIFY_RETURN_PATH]


def test_a_return_path_that_is_missing_keeps_no_mail_back() -> None:
    half = VERIFIED | {"ReturnPathDomainVerified": False, "WeakDKIM": True}
    with scripted_api({LIST: LISTED, ONE: half, VERIFY_RETURN_PATH: half}) as api:
        found = ask_postmark(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.VERIFIED
    assert "weaker than 1024 bits" in found.note
    assert found.note.endswith("return path not seen")


def test_a_key_that_is_being_replaced_stands_beside_its_successor() -> None:
    next_key = {"DKIMPendingHost": "next._domainkey.example.com", "DKIMPendingTextValue": "p=2"}
    with scripted_api({LIST: LISTED, ONE: VERIFIED | next_key}) as api:
        found = ask_postmark(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert [one.host for one in found.records if one.purpose is Purpose.DKIM] == [
        "20261124pm._domainkey.example.com",
        "next._domainkey.example.com",
    ]


def test_a_domain_on_a_later_page_is_found() -> None:
    first = {"TotalCount": 2, "Domains": [{"Name": "example.community", "ID": 1}]}
    second = {"TotalCount": 2, "Domains": [{"Name": "Example.com", "ID": 36737}]}
    script = {LIST: first, "GET /domains?count=500&offset=1": second, ONE: VERIFIED}
    with scripted_api(script) as api:
        assert ask_postmark(api, lambda a, to: a.identity(to, "example.com")) is not None


def test_a_list_that_ends_early_ends_the_search() -> None:
    with scripted_api({LIST: {"TotalCount": 9, "Domains": []}}) as api:
        assert ask_postmark(api, lambda a, to: a.identity(to, "example.com")) is None


def test_without_the_accounts_token_nobody_can_be_asked() -> None:
    with scripted_api({}) as api, pytest.raises(AskFailed, match="the setting account_token"):
        ask_postmark(api, lambda a, to: a.register(to, "example.com"), account_token="")
    assert api.asked == []


def test_the_standing_tells_of_both_tokens() -> None:
    with scripted_api({SERVER: THE_SERVER, TOKEN_TRIED: NOBODY}) as api:
        sentences = ask_postmark(api, lambda a, to: a.standing(to))
    assert sentences == ["Postmark takes the token of the server Production."]
    assert api.headers[0]["X-Postmark-Server-Token"] == "server-secret"
    assert "X-Postmark-Account-Token" not in api.headers[0]


def test_the_standing_names_all_that_keeps_mail_back() -> None:
    server = THE_SERVER | {"DeliveryType": "Sandbox", "SmtpApiActivated": False}
    settings = {"account_token": "", "smtp_host": "smtp.postmarkapp.com"}
    with scripted_api({SERVER: server}) as api:
        sentences = ask_postmark(api, lambda a, to: a.standing(to), **settings)
    assert sentences[1:3] == [
        "The server is a sandbox: it delivers nothing.",
        "SMTP is switched off on the server.",
    ]
    assert "cannot be asked about" in sentences[3]
    assert "account_token" in sentences[3]


def test_a_webhook_tells_its_events_and_none_signs() -> None:
    url = "https://mail.example.com/feedback/main/x"
    told = {"ID": 1, "Url": url, "MessageStream": "outbound", "Triggers": TRIGGERS,
            "HttpAuth": {"Username": "user", "Password": "pass"}}  # fmt: skip
    with scripted_api({WEBHOOKS: {"Webhooks": [told]}}) as api:
        (found,) = ask_postmark(api, lambda a, to: a.webhooks(to)) or ()
    assert (found.url, found.enabled, found.signed) == (url, True, None)
    assert found.events == {"Open", "Click", "Delivery", "SubscriptionChange"}
    assert found.login is True
    assert api.headers[0]["X-Postmark-Server-Token"] == "server-secret"


@pytest.mark.parametrize(
    ("url", "shows"),
    [("https://mail.example.com/", False), ("https://user:pass@mail.example.com/", True)],
)
def test_a_login_may_stand_in_the_url_itself(url: str, shows: bool) -> None:
    nobody = {"Username": None, "Password": None}
    told = {"Url": url, "Triggers": TRIGGERS, "HttpAuth": nobody}
    with scripted_api({WEBHOOKS: {"Webhooks": [told]}}) as api:
        (found,) = ask_postmark(api, lambda a, to: a.webhooks(to)) or ()
    assert found.login is shows


def test_webhooks_are_those_of_the_accounts_stream() -> None:
    with scripted_api({"GET /webhooks?MessageStream=a%26b": {"Webhooks": []}}) as api:
        assert ask_postmark(api, lambda a, to: a.webhooks(to), message_stream="a&b") == []


def test_a_token_that_is_refused_says_which_and_is_not_repeated() -> None:
    refused = (401, {"ErrorCode": 10, "Message": "Bad or missing API token."})
    with scripted_api({SERVER: refused}) as api, pytest.raises(AskFailed) as server:
        ask_postmark(api, lambda a, to: a.standing(to))
    with scripted_api({LIST: refused}) as api, pytest.raises(AskFailed) as account:
        ask_postmark(api, lambda a, to: a.identity(to, "example.com"))
    assert str(server.value).startswith("the provider refuses the credentials (401)")
    assert str(account.value).startswith("account_token: the provider refuses")
    assert "secret" not in f"{server.value} {account.value}"


@pytest.mark.parametrize("answer", [{"odd": 1}, ["odd"], "odd", {"DKIMVerified": True} | NAMELESS])
def test_a_domain_of_another_shape_is_said_to_be_one(answer: object) -> None:
    script = {LIST: LISTED, ONE: answer}
    with scripted_api(script) as api, pytest.raises(AskFailed, match="documented"):
        ask_postmark(api, lambda a, to: a.identity(to, "example.com"))


@pytest.mark.parametrize(
    "answer",
    [
        {"Domains": [{"odd": 1}]},
        {"Domains": [{"Name": "example.com", "ID": "1/../2"}]},
        {"Domains": [{"Name": "example.org", "ID": 1}], "TotalCount": "many"},
        {"Domains": "odd", "TotalCount": 1},
    ],
)
def test_a_list_of_another_shape_is_said_to_be_one(answer: object) -> None:
    with scripted_api({LIST: answer}) as api, pytest.raises(AskFailed, match="documented"):
        ask_postmark(api, lambda a, to: a.identity(to, "example.com"))


@pytest.mark.parametrize("told", [{"Url": "x", "Triggers": {"Open": 1}}, {"Triggers": {}}, 1])
def test_webhooks_of_another_shape_are_said_to_be_so(told: object) -> None:
    script = {WEBHOOKS: {"Webhooks": [told]}}
    with scripted_api(script) as api, pytest.raises(AskFailed, match="documented"):
        ask_postmark(api, lambda a, to: a.webhooks(to))
