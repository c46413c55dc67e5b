"""What `postroom account test` says of an account, in words, and what is to be set up there."""

from typing import Any

import pytest

from postroom.ledger import accounts, sender_domains
from postroom.ledger.accounts import AccountRow
from postroom.management.account_check import examine
from postroom.management.doctor import Level
from postroom.providers.postmark import PostmarkAccountApi
from postroom.providers.sendgrid import SendGridAccountApi
from tests.scripted_api import ScriptedApi, scripted_api

pytestmark = pytest.mark.usefixtures("ledger")

SCOPES = "GET /v3/scopes"
WEBHOOKS = "GET /v3/user/webhooks/event/settings/all"
ALL_SCOPES = {"scopes": ["mail.send", "whitelabel.read", "user.webhooks.event.settings.read"]}


def add(api: ScriptedApi) -> tuple[AccountRow, str]:
    """An account there, and the secret of its webhook."""
    settings = {"api_key": "SG.secret", "endpoint": api.url}
    secret = accounts.add("main", "sendgrid", False, settings)
    row = accounts.by_name("main")
    assert row is not None
    sender_domains.keep(row.id, "corp.example", "verified", True)
    return row, secret


def webhook(secret: str, **changes: Any) -> dict[str, Any]:
    told = dict.fromkeys(SendGridAccountApi.wanted_events, True)
    url = f"https://mail.corp.example/feedback/main/{secret}"
    return told | {"url": url, "enabled": True, "public_key": "MFkw"} | changes


def missing(row: AccountRow) -> list[str]:
    return [one.said for one in examine(row) if one.level is Level.MISSING]


def test_an_account_that_is_all_set_up_lacks_nothing() -> None:
    with scripted_api({SCOPES: ALL_SCOPES}) as api:
        row, secret = add(api)
        api.script[WEBHOOKS] = {"webhooks": [webhook("other"), webhook(secret)]}
        assert missing(row) == []
        said = [one.said for one in examine(row)]
    assert "SendGrid takes the API key." in said
    assert "It posts every event that is needed to us." in said
    assert "corp.example is verified." in said


def test_what_is_missing_is_said_with_what_to_do() -> None:
    with scripted_api({SCOPES: ALL_SCOPES}) as api:
        row, secret = add(api)
        api.script[WEBHOOKS] = {"webhooks": [webhook(secret, bounce=False, public_key="")]}
        sender_domains.keep(row.id, "corp.example", "pending", True, note="no CNAME")
        assert missing(row) == [
            "It does not tell of bounce; switch that on.",
            "It does not sign; switch the signature on.",
            "corp.example is pending (no CNAME).",
            "It may carry mail from no domain yet: `postroom domain add DOMAIN`.",
        ]
        api.script[WEBHOOKS] = {"webhooks": [webhook(secret, enabled=False)]}
        assert missing(row)[0] == "It is set up and switched off; switch it on."


def test_a_webhook_with_another_secret_is_not_ours() -> None:
    with scripted_api({SCOPES: ALL_SCOPES}) as api:
        row, _ = add(api)
        api.script[WEBHOOKS] = {"webhooks": [webhook("other")]}
        (said,) = missing(row)
    assert said.startswith("Set up a webhook for bounce, click")
    assert "/feedback/main/SECRET" in said


def postmark(api: ScriptedApi, **settings: str) -> str:
    """The secret of the webhook of a Postmark account there."""
    settings = {"server_token": "x", "account_token": "y", "endpoint": api.url} | settings
    secret = accounts.add("pm", "postmark", False, settings)
    api.script["GET /server"] = {"Name": "Production"}
    api.script["GET /domains?count=1&offset=0"] = {"TotalCount": 0, "Domains": []}
    return secret


@pytest.mark.parametrize(
    ("settings", "login", "said"),
    [
        ({"webhook_user": "u", "webhook_password": "p"}, "", 1),
        ({"webhook_user": "u", "webhook_password": "p"}, "u:p@", 0),
        ({}, "", 0),
    ],
)
def test_a_webhook_without_the_login_that_we_ask_for_is_told(
    settings: dict[str, str], login: str, said: int
) -> None:
    with scripted_api({}) as api:
        secret = postmark(api, **settings)
        url = f"https://{login}mail.corp.example/feedback/pm/{secret}"
        triggers = {name: {"Enabled": True} for name in PostmarkAccountApi.wanted_events}
        hooks = {"Webhooks": [{"Url": url, "Triggers": triggers}]}
        api.script["GET /webhooks?MessageStream=outbound"] = hooks
        row = accounts.by_name("pm")
        assert row is not None
        found = [one for one in missing(row) if "shows no login" in one]
    assert len(found) == said


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"queue_url": "https://sqs.example/1/q"}, "Its notifications are pulled from its queue."),
        ({}, "The provider does not tell where it posts its notifications."),
    ],
)
def test_an_account_whose_queue_is_pulled_needs_no_webhook(
    settings: dict[str, str], expected: str
) -> None:
    keys = {"access_key_id": "a", "secret_access_key": "s", "region": "eu-west-1"}
    with scripted_api({}) as api:
        accounts.add("amazon", "ses", False, keys | {"endpoint": api.url} | settings)
        row = accounts.by_name("amazon")
        assert row is not None
        said = [one.said for one in examine(row) if one.about == "webhook"]
    assert said[0] == expected


def test_refused_credentials_are_said_and_never_shown() -> None:
    refused = (401, {"errors": [{"message": "authorization required"}]})
    with scripted_api({SCOPES: refused, WEBHOOKS: refused}) as api:
        row, _ = add(api)
        said = " ".join(one.said for one in examine(row))
    assert "the provider refuses the credentials (401)" in said
    assert "SG.secret" not in said


def test_an_account_without_an_interface_says_what_it_can_and_what_its_roads_lack() -> None:
    accounts.add("relay", "smtp", False, {})
    row = accounts.by_name("relay")
    assert row is not None
    said = [one.said for one in examine(row)]
    assert "smtp has no interface that we can ask; send a mail to see it work." in said
    assert "smtp is closed: it needs smtp_host." in said


def test_a_stopped_account_says_why() -> None:
    with scripted_api({SCOPES: ALL_SCOPES}) as api:
        row, secret = add(api)
        api.script[WEBHOOKS] = {"webhooks": [webhook(secret)]}
        accounts.stop(row.id, "401 revoked")
        stopped = accounts.by_name("main")
        assert stopped is not None
        assert missing(stopped) == ["It is stopped: 401 revoked"]
