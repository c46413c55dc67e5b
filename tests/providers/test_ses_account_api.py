"""Amazon SES's interface for accounts, with bodies as its API reference describes them."""

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

ACCOUNT = "GET /v2/email/account"
CREATE = "POST /v2/email/identities"
IDENTITY = "GET /v2/email/identities/example.com"
DESTINATIONS = "GET /v2/email/configuration-sets/postroom/event-destinations"
UNKNOWN = (404, {"message": "Email identity example.com does not exist."})
TOPIC = "arn:aws:sns:eu-west-1:123456789012:postroom"
BASIC = ("SEND", "REJECT", "BOUNCE", "COMPLAINT")
KEYS = {
    "access_key_id": "AKIAEXAMPLE",
    "secret_access_key": "the-secret-key",
    "region": "eu-west-1",
}
STANDING = {
    "EnforcementStatus": "HEALTHY",
    "ProductionAccessEnabled": True,
    "SendingEnabled": True,
    "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 1200.0},
}
DKIM = {
    "SigningEnabled": True,
    "Status": "PENDING",
    "Tokens": ["aaa", "bbb"],
    "SigningAttributesOrigin": "AWS_SES",
}
PENDING = {
    "IdentityType": "DOMAIN",
    "VerifiedForSendingStatus": False,
    "VerificationStatus": "PENDING",
    "DkimAttributes": DKIM,
    "VerificationInfo": {"ErrorType": "HOST_NOT_FOUND"},
}
VERIFIED = {
    "IdentityType": "DOMAIN",
    "VerifiedForSendingStatus": True,
    "VerificationStatus": "SUCCESS",
    "DkimAttributes": DKIM | {"Status": "SUCCESS"},
}
RECORDS = (
    DnsRecord(Purpose.DKIM, "CNAME", "aaa._domainkey.example.com", "aaa.dkim.amazonses.com"),
    DnsRecord(Purpose.DKIM, "CNAME", "bbb._domainkey.example.com", "bbb.dkim.amazonses.com"),
)


def ask_ses(
    api: ScriptedApi, question: Callable[[AccountApi, Account], Awaitable[T]], **settings: str
) -> T:
    return ask("ses", api, question, **KEYS, **settings)


def destination(*events: str, **changes: Any) -> dict[str, Any]:
    told = {"Name": "to-us", "Enabled": True, "MatchingEventTypes": list(events)}
    return told | {"SnsDestination": {"TopicArn": TOPIC}} | changes


def test_a_domain_that_nobody_registered_is_registered_once() -> None:
    created = {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": False, "DkimAttributes": DKIM}
    with scripted_api({IDENTITY: UNKNOWN, CREATE: created}) as api:
        made = ask_ses(api, lambda a, to: a.register(to, "example.com"))
    assert (made.status, made.records) == (IdentityStatus.PENDING, RECORDS)
    assert api.asked == [IDENTITY, CREATE]
    assert api.bodies[1] == {"EmailIdentity": "example.com"}


def test_every_question_is_signed_for_the_region_and_shows_no_secret() -> None:
    with scripted_api({IDENTITY: VERIFIED}) as api:
        ask_ses(api, lambda a, to: a.identity(to, "example.com"), session_token="temporary")
    (headers,) = api.headers
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert "/eu-west-1/ses/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "temporary"
    assert "the-secret-key" not in str(headers)


def test_a_domain_that_amazon_signs_for_is_verified_and_aligned() -> None:
    with scripted_api({IDENTITY: VERIFIED}) as api:
        found = ask_ses(api, lambda a, to: a.register(to, "example.com"))
    assert (found.status, found.aligned) == (IdentityStatus.VERIFIED, True)
    assert (found.records, found.note) == (RECORDS, "")
    assert api.asked == [IDENTITY]


def test_a_pending_domain_says_why_and_amazon_looks_by_itself() -> None:
    with scripted_api({IDENTITY: PENDING}) as api:
        found = ask_ses(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.PENDING
    assert found.note == "DKIM: PENDING; HOST_NOT_FOUND"
    assert api.asked == [IDENTITY]


def test_a_domain_that_amazon_has_given_up_must_be_started_again() -> None:
    told = PENDING | {"VerificationStatus": "FAILED", "DkimAttributes": DKIM | {"Status": "FAILED"}}
    with scripted_api({IDENTITY: told}) as api:
        found = ask_ses(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.FAILED
    assert "start the verification again" in found.note


def test_a_passing_trouble_of_amazons_takes_nothing_back() -> None:
    told = VERIFIED | {"DkimAttributes": DKIM | {"Status": "TEMPORARY_FAILURE"}}
    with scripted_api({IDENTITY: told}) as api:
        found = ask_ses(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.status is IdentityStatus.VERIFIED
    assert found.note == "DKIM: TEMPORARY_FAILURE"


def test_a_domain_whose_mail_is_not_signed_is_neither_verified_nor_aligned() -> None:
    unsigned = {"SigningEnabled": False, "Status": "NOT_STARTED"}
    with scripted_api({IDENTITY: VERIFIED | {"DkimAttributes": unsigned}}) as api:
        found = ask_ses(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert (found.status, found.aligned) == (IdentityStatus.PENDING, False)
    assert found.records == ()


def test_the_keys_lie_in_the_zone_that_amazon_names() -> None:
    zone = DKIM | {"SigningHostedZone": "dkim.eu-central-2.amazonses.com"}
    with scripted_api({IDENTITY: PENDING | {"DkimAttributes": zone}}) as api:
        found = ask_ses(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.records[0].value == "aaa.dkim.eu-central-2.amazonses.com"


def test_keys_that_a_person_brought_are_not_made_up() -> None:
    own = DKIM | {"SigningAttributesOrigin": "EXTERNAL", "Tokens": ["selector"]}
    with scripted_api({IDENTITY: PENDING | {"DkimAttributes": own}}) as api:
        found = ask_ses(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    assert found.records == ()


def test_a_mail_from_domain_wants_records_of_its_own() -> None:
    mail_from = {"MailFromDomain": "bounce.example.com", "MailFromDomainStatus": "PENDING"}
    with scripted_api({IDENTITY: VERIFIED | {"MailFromAttributes": mail_from}}) as api:
        found = ask_ses(api, lambda a, to: a.identity(to, "example.com"))
    assert found is not None
    exchange = "10 feedback-smtp.eu-west-1.amazonses.com"
    assert found.records[2:] == (
        DnsRecord(Purpose.RETURN_PATH, "MX", "bounce.example.com", exchange),
        DnsRecord(
            Purpose.RETURN_PATH, "TXT", "bounce.example.com", "v=spf1 include:amazonses.com ~all"
        ),
    )
    assert found.note == "MAIL FROM: PENDING"


def test_a_domain_is_one_step_of_a_path_whatever_is_in_it() -> None:
    with scripted_api({}) as api, pytest.raises(AskFailed):
        ask_ses(api, lambda a, to: a.identity(to, "x/../../account?y"))
    assert api.asked == ["GET /v2/email/identities/x%2F..%2F..%2Faccount%3Fy"]


def test_the_standing_tells_the_quota() -> None:
    with scripted_api({ACCOUNT: STANDING}) as api:
        sentences = ask_ses(api, lambda a, to: a.standing(to))
    assert sentences == [
        "Amazon takes the keys.",
        "In 24 hours it may send up to 50000 and has sent 1200; up to 14 a second.",
    ]


def test_the_standing_names_all_that_keeps_mail_back() -> None:
    changes = {
        "ProductionAccessEnabled": False,
        "SendingEnabled": False,
        "EnforcementStatus": "SHUTDOWN",
        "SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": 0.5, "SentLast24Hours": 3.0},
    }
    with scripted_api({ACCOUNT: STANDING | changes}) as api:
        sentences = ask_ses(api, lambda a, to: a.standing(to))
    assert sentences[1:] == [
        "The account is in the sandbox: mail reaches verified addresses only.",
        "Sending is switched off in this region.",
        "Amazon has paused sending (SHUTDOWN); only its support can lift that.",
        "In 24 hours it may send without a limit and has sent 3; up to 0.5 a second.",
    ]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            {"EventDestinations": [destination(*BASIC, "SUBSCRIPTION")]},
            "The configuration set postroom does not publish DELIVERY, DELIVERY_DELAY.",
        ),
        (
            {"EventDestinations": [destination("SEND", Enabled=False)]},
            "The configuration set postroom publishes to no SNS topic: we hear nothing.",
        ),
        ((404, {"message": "none"}), "There is no configuration set postroom."),
    ],
)
def test_the_standing_tells_what_a_configuration_set_lacks(told: object, said: str) -> None:
    with scripted_api({ACCOUNT: STANDING, DESTINATIONS: told}) as api:
        sentences = ask_ses(api, lambda a, to: a.standing(to), configuration_set="postroom")
    assert sentences[-1] == said


def test_a_set_that_tracks_must_publish_opens_and_clicks() -> None:
    events = destination(*BASIC, "DELIVERY", "DELIVERY_DELAY", "SUBSCRIPTION")
    script = {ACCOUNT: STANDING, DESTINATIONS: {"EventDestinations": [events]}}
    with scripted_api(script) as api:
        plain = ask_ses(api, lambda a, to: a.standing(to), configuration_set="postroom")
        tracked = ask_ses(api, lambda a, to: a.standing(to), configuration_set_tracking="postroom")
    assert plain[-1] == f"The configuration set postroom publishes to {TOPIC}."
    assert tracked[-1] == "The configuration set postroom does not publish OPEN, CLICK."


def test_keys_that_may_not_read_the_configuration_set_still_stand() -> None:
    refused = (403, {"message": "not authorized to perform: ses:GetConfigurationSet"})
    with scripted_api({ACCOUNT: STANDING, DESTINATIONS: refused}) as api:
        sentences = ask_ses(api, lambda a, to: a.standing(to), configuration_set="postroom")
    assert sentences[0] == "Amazon takes the keys."
    assert "not authorized" in sentences[-1]


def test_ses_does_not_tell_who_listens_to_its_topics() -> None:
    with scripted_api({}) as api:
        assert ask_ses(api, lambda a, to: a.webhooks(to)) is None
    assert api.asked == []


def test_keys_that_are_refused_say_so_and_are_not_repeated() -> None:
    refused = (403, {"message": "The security token included in the request is invalid."})
    with scripted_api({ACCOUNT: refused}) as api, pytest.raises(AskFailed) as raised:
        ask_ses(api, lambda a, to: a.standing(to))
    assert "refuses the credentials (403)" in str(raised.value)
    assert "the-secret-key" not in str(raised.value)


@pytest.mark.parametrize(
    "told",
    [
        {"odd": 1},
        ["odd"],
        "odd",
        (404, {"error": "another server"}),
        VERIFIED | {"DkimAttributes": [1]},
        VERIFIED | {"DkimAttributes": DKIM | {"Tokens": 3}},
    ],
)
def test_an_answer_of_another_shape_is_said_to_be_one(told: object) -> None:
    with scripted_api({IDENTITY: told}) as api, pytest.raises(AskFailed, match="documented"):
        ask_ses(api, lambda a, to: a.identity(to, "example.com"))


@pytest.mark.parametrize("quota", [{}, {"Max24HourSend": "x"}, [1], None])
def test_a_standing_of_another_shape_is_said_to_be_one(quota: object) -> None:
    script = {ACCOUNT: STANDING | {"SendQuota": quota}}
    with scripted_api(script) as api, pytest.raises(AskFailed, match="documented"):
        ask_ses(api, lambda a, to: a.standing(to))
