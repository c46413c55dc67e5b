"""What `postroom account test` says of an account, in words, and what is to be set up there."""

from typing import Any

import pytest

from postroom.ledger import accounts, sender_domains
from postroom.ledger.accounts import AccountRow
from postroom.management.account_check import examine
from postroom.management.doctor import Level
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
