"""Mailjet's interface for accounts, with bodies as its reference shows them."""

from typing import Any

import pytest

from postroom.providers.account_api import AskFailed, DnsRecord, IdentityStatus, Purpose
from tests.providers.asking import ask
from tests.scripted_api import InTurn, scripted_api

SENDERS = "GET /v3/REST/sender?Limit=1000&Domain=example.com"
DNS_PATH = "GET /v3/REST/dns/example.com"
VALIDATE = "POST /v3/REST/sender/7/validate"
CHECK = "POST /v3/REST/dns/9/check"
KEYS = "GET /v3/REST/apikey?Limit=1000"
CALLBACKS = "GET /v3/REST/eventcallbackurl?Limit=1000"
SENDER = {"ID": 7, "DNSID": 9, "Email": "*@example.com", "Status": "Active"}
DNS = {
    "ID": 9,
    "Domain": "example.com",
    "DKIMRecordName": "mailjet._domainkey.example.com.",
    "DKIMRecordValue": "k=rsa; p=MIG",
    "DKIMStatus": "OK",
    "OwnerShipToken": "0123456789abcdef",
    "OwnerShipTokenRecordName": "mailjet._01234567",
    "SPFRecordValue": "v=spf1 include:spf.mailjet.com ?all",
    "SPFStatus": "Not checked",
}
RECORDS = (
    DnsRecord(Purpose.OWNERSHIP, "TXT", "mailjet._01234567.example.com", "0123456789abcdef"),
    DnsRecord(Purpose.DKIM, "TXT", "mailjet._domainkey.example.com", "k=rsa; p=MIG"),
)
URL = "https://mailjet:word@mail.example.com/feedback/main/x"


def data(*rows: object) -> dict[str, Any]:
    return {"Count": len(rows), "Total": len(rows), "Data": list(rows)}


def test_a_domain_that_nobody_registered_is_registered_once() -> None:
    new = DNS | {"DKIMStatus": "Not checked"}
    script = {
        SENDERS: data(SENDER | {"Email": "one@example.com"}),
        "POST /v3/REST/sender": (201, data(SENDER | {"Status": "Inactive"})),
        DNS_PATH: data(new),
    }
    with scripted_api(script) as api:
        made = ask(
            "mailjet",
            api,
            lambda a, to: a.register(to, "example.com"),
            api_key="public",
            api_secret="private",
        )
    assert (made.status, made.aligned) == (IdentityStatus.PENDING, False)
    assert made.records == RECORDS
    assert api.bodies[1] == {"Email": "*@example.com"}
    assert {one["Authorization"] for one in api.headers} == {"Basic cHVibGljOnByaXZhdGU="}


def test_a_domain_that_is_active_and_signed_is_verified_and_nobody_is_asked_to_look() -> None:
    with scripted_api({SENDERS: data(SENDER), DNS_PATH: data(DNS)}) as api:
        found = ask("mailjet", api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned, found.note) == (IdentityStatus.VERIFIED, True, "")
    assert api.asked == [SENDERS, DNS_PATH]


def test_a_domain_whose_signature_is_missing_is_looked_at_again_and_is_not_aligned() -> None:
    looked = {"DKIMErrors": ["no DKIM record"], "DKIMStatus": "Error", "SPFStatus": "OK"}
    script = {
        SENDERS: data(SENDER),
        DNS_PATH: data(DNS | {"DKIMStatus": "Error"}),
        CHECK: (201, data(looked)),
    }
    with scripted_api(script) as api:
        found = ask("mailjet", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.aligned) == (IdentityStatus.PENDING, False)
    assert found.note == "no DKIM record"


def test_a_domain_whose_owner_is_not_proved_is_looked_at_again_and_says_why() -> None:
    looked = {
        "Errors": {"DNSValidationError": " DNS record verification failed."},
        "GlobalError": "Neither the file nor the TXT record have been found.",
        "ValidationMethod": "",
    }
    script = {
        SENDERS: data(SENDER | {"Status": "Inactive"}),
        DNS_PATH: data(DNS),
        VALIDATE: data(looked),
    }
    with scripted_api(script) as api:
        found = ask("mailjet", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.aligned) == (IdentityStatus.PENDING, True)
    assert found.note == "Neither the file nor the TXT record have been found."


def test_a_domain_whose_records_are_seen_at_last_is_verified_at_once() -> None:
    script = {
        SENDERS: data(SENDER | {"Status": "Inactive"}),
        DNS_PATH: data(DNS | {"DKIMStatus": "Not checked"}),
        VALIDATE: data({"Errors": {}, "GlobalError": "", "ValidationMethod": "DNS"}),
        CHECK: data({"DKIMErrors": "", "DKIMStatus": "OK"}),
    }
    with scripted_api(script) as api:
        found = ask("mailjet", api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.aligned, found.note) == (IdentityStatus.VERIFIED, True, "")


def test_a_sender_of_one_address_is_not_taken_for_its_domain() -> None:
    with scripted_api({SENDERS: data(SENDER | {"Email": "one@example.com"})}) as api:
        assert ask("mailjet", api, lambda a, to: a.identity(to, "example.com")) is None


def test_a_domain_is_quoted_in_addresses() -> None:
    path = "GET /v3/REST/sender?Limit=1000&Domain=a%26b%23c"
    with scripted_api({path: data()}) as api:
        assert ask("mailjet", api, lambda a, to: a.identity(to, "a&b#c")) is None


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (data({"APIKey": "public", "Runlevel": "Normal", "SecretKey": "private"}), []),
        (
            data({"APIKey": "public", "Runlevel": "Softlock", "SecretKey": "private"}),
            ["Mailjet has suspended sending for this key."],
        ),
        (data({"APIKey": "another", "Runlevel": "Hardlock"}), []),
        ((403, {"ErrorMessage": "Operation not allowed"}), []),
    ],
)
def test_the_standing_says_that_a_key_is_locked(keys: object, said: list[str]) -> None:
    script = {"GET /v3/REST/sender?Limit=1": InTurn(data()), KEYS: keys}
    with scripted_api(script) as api:
        first, *more = ask("mailjet", api, lambda a, to: a.standing(to), api_key="public")
    assert first == "Mailjet takes the API keys."
    assert more == said


def test_the_callbacks_to_one_address_are_one_webhook() -> None:
    alive = {"Status": "alive", "Version": 2, "IsBackup": False, "Url": URL}
    told = data(
        alive | {"EventType": "sent"},
        alive | {"EventType": "bounce", "Version": 1},
        alive | {"EventType": "spam", "Status": "dead"},
        alive | {"EventType": "open", "IsBackup": "true"},
        alive | {"EventType": "open", "Url": "https://other.example", "Status": "dead"},
    )
    with scripted_api({CALLBACKS: told}) as api:
        ours, other = ask("mailjet", api, lambda a, to: a.webhooks(to)) or ()
    assert (ours.url, ours.enabled) == (URL, True)
    assert ours.events == {"sent", "bounce"}
    assert (ours.signed, other.enabled) == (None, False)


def test_keys_that_are_refused_say_so_and_are_not_repeated() -> None:
    refused = (401, {"ErrorMessage": "API key authentication/authorization failure."})
    with (
        scripted_api({"GET /v3/REST/sender?Limit=1": refused}) as api,
        pytest.raises(AskFailed) as raised,
    ):
        ask("mailjet", api, lambda a, to: a.standing(to), api_key="public", api_secret="private")
    assert "refuses the credentials (401)" in str(raised.value)
    assert "private" not in str(raised.value)


@pytest.mark.parametrize("told", [["odd"], "odd", {"Data": ["odd"]}, {"Data": {"odd": 1}}])
def test_an_answer_of_another_shape_is_said_to_be_one(told: object) -> None:
    with scripted_api({SENDERS: told}) as api, pytest.raises(AskFailed):
        ask("mailjet", api, lambda a, to: a.register(to, "example.com"))
    with scripted_api({SENDERS: data(SENDER), DNS_PATH: told}) as api, pytest.raises(AskFailed):
        ask("mailjet", api, lambda a, to: a.identity(to, "example.com"))
