"""Our reading of notifications beside django-anymail's: the same, or different for a reason.

Both read the hand-written notifications of every provider that both know. A difference stands in
the table below or fails; a row of the table that no notification needs any more fails too.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory
from django.utils.module_loading import import_string

from postroom.providers.base import Heard
from postroom.providers.registry import PROVIDERS

FIXTURES = Path(__file__).parent / "fixtures"

WORDS: dict[str, frozenset[str]] = {
    "accepted": frozenset({"queued", "sent"}),
    "suppressed": frozenset({"rejected"}),
    "resubscribed": frozenset({"subscribed"}),
    "auto_replied": frozenset({"autoresponded"}),
}
"""Anymail's words for ours where they are not the same."""


@dataclass(frozen=True)
class View:
    """Anymail's reader of one provider."""

    path: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def read(self, body: bytes, content_type: str) -> list[Any]:
        """Its events; the proof of origin is not asked for."""
        view = import_string(f"anymail.webhooks.{self.path}")
        # Made without its arguments, Amazon SES's would ask for a library that reads nothing.
        secret = {"webhook_secret": "a:b", **self.arguments}
        made = view(**secret) if "ses" not in self.path else view.__new__(view)
        request = RequestFactory().post("/", body, content_type=content_type)
        return list(made.parse_events(request))


VIEWS = {
    "brevo": View("brevo.BrevoTrackingWebhookView"),
    "mailersend": View("mailersend.MailerSendTrackingWebhookView", {"signing_secret": "x"}),
    "mailgun": View("mailgun.MailgunTrackingWebhookView", {"webhook_signing_key": "x"}),
    "mailjet": View("mailjet.MailjetTrackingWebhookView"),
    "mailtrap": View("mailtrap.MailtrapTrackingWebhookView"),
    "postal": View("postal.PostalTrackingWebhookView", {"webhook_key": "x"}),
    "postmark": View("postmark.PostmarkTrackingWebhookView"),
    "resend": View("resend.ResendTrackingWebhookView"),
    "sendgrid": View("sendgrid.SendGridTrackingWebhookView"),
    "ses": View("amazon_ses.AmazonSESTrackingWebhookView"),
    "sparkpost": View("sparkpost.SparkPostTrackingWebhookView"),
}

NOT_OF_A_MAIL_SENT = {
    ("mailersend", "maintenance"), ("mailersend", "ping"), ("mailtrap", "others"),
    ("postal", "dns_error"), ("postal", "send_limit"), ("postal", "incoming"),
    ("postmark", "inbound"), ("resend", "list_changed"), ("resend", "received"),
}  # fmt: skip
"""Notifications of something else: we pass them over, Anymail breaks off or calls them unknown."""

DIFFERENCES: dict[str, frozenset[tuple[str, str, str, str]]] = {
    "Anymail has no row for it, and says `unknown`": frozenset({
        ("brevo", "unsubscribed", "", "unknown"),
        ("mailersend", "activity.clicked_unique", "", "unknown"),
        ("mailersend", "activity.deferred", "deferred", "unknown"),
        ("mailersend", "activity.opened_unique", "", "unknown"),
        ("mailersend", "activity.suppressed", "suppressed/on_hold", "unknown"),
        ("mailersend", "activity.survey_opened", "", "unknown"),
        ("postal", "MessageLoaded", "", "unknown"),
        ("resend", "email.failed", "failed/reached_daily_quota", "unknown"),
        ("resend", "email.scheduled", "", "unknown"),
        ("resend", "email.suppressed", "OnAccountSuppressionList", "unknown"),
        ("ses", "DeliveryDelay", "DeliveryDelay/MailboxFull", "unknown"),
        ("ses", "DeliveryDelay", "DeliveryDelay/SpamDetected", "unknown"),
        ("ses", "Subscription", "", "unknown"),
        ("sparkpost", "initial_open", "", "unknown"),
    }),
    "Kept back by the provider's list: nobody refused it now, and nothing new is known": frozenset({
        ("mailgun", "permanent_fail", "suppress-bounce", "bounced"),
        ("mailgun", "permanent_fail", "suppress-complaint", "bounced"),
        ("mailgun", "permanent_fail", "suppress-unsubscribe", "bounced"),
        ("postal", "MessageHeld", "MessageHeld/suppression list", "queued"),
        ("postmark", "Bounce", "SMTPApiError/inactive", "failed"),
        ("postmark", "SubscriptionChange", "SubscriptionChange/HardBounce", "bounced"),
        ("postmark", "SubscriptionChange", "SubscriptionChange/ManualSuppression", "unsubscribed"),
        ("resend", "email.bounced", "Permanent/Suppressed", "bounced"),
        ("ses", "Bounce", "Permanent/OnAccountSuppressionList", "bounced"),
        ("ses", "Bounce", "Permanent/Suppressed", "bounced"),
        ("ses", "Complaint", "Complaint/OnAccountSuppressionList", "complained"),
        ("sparkpost", "bounce", "25/suppressed", "bounced"),
    }),
    "Refused by the receiver, which Anymail's `rejected` and `failed` do not say": frozenset({
        ("mailgun", "permanent_fail", "old", "rejected"),
        ("postal", "MessageDeliveryFailed", "MessageDeliveryFailed", "failed"),
        ("postmark", "Bounce", "Blocked", "rejected"),
    }),
    "Refused by the provider before any attempt, which Anymail's `failed` does not say": frozenset({
        ("brevo", "error", "error", "failed"),
        ("postal", "MessageDeliveryFailed", "MessageDeliveryFailed/spam", "failed"),
        ("ses", "Rendering Failure", "Rendering Failure", "failed"),
        ("sparkpost", "generation_failure", "generation_failure", "failed"),
    }),
    "Still kept by the provider: Anymail's `queued` is its word for an acceptance too": frozenset({
        ("postal", "MessageHeld", "MessageHeld", "queued"),
        ("postal", "MessageHeld", "MessageHeld/send limit", "queued"),
    }),
    "No bounce by its shape: an automatic answer": frozenset({
        ("ses", "Bounce", "Transient/General", "bounced"),
    }),
    "No complaint by its feedback type: a failed check, or the opposite": frozenset({
        ("ses", "Complaint", "auth-failure", "complained"),
        ("ses", "Complaint", "not-spam", "complained"),
    }),
    "Anymail leaves the name at the address": frozenset({
        ("ses", "Bounce", "Permanent/General", "bounced"),
    }),
    "The link of an unsubscribe is no click": frozenset({
        ("sparkpost", "link_unsubscribe", "", "unsubscribed"),
    }),
    "Anymail reads no recipient where it knows no event": frozenset({
        ("sparkpost", "relay_delivery", "", "unknown"),
    }),
}  # fmt: skip
"""Why we say something else, and of what: (provider, its type, its class, Anymail's type)."""


def posts(provider: str, path: Path) -> Iterator[tuple[bytes, bytes, str]]:
    """What each of us is given of a fixture, in a form that Anymail knows, and its content type."""
    body = path.read_bytes()
    told: Any = [json.loads(line) for line in body.splitlines()] if "jsonl" in path.name else None
    told = told or json.loads(body)
    if provider == "brevo":
        for one in told if isinstance(told, list) else [told]:
            # Anymail takes this header for JSON of its own making, and breaks off at any other.
            plain = {name: value for name, value in one.items() if name != "X-Mailin-custom"}
            yield json.dumps(one).encode(), json.dumps(plain).encode(), "application/json"
    elif provider == "mailtrap" and isinstance(told, list):
        yield body, json.dumps({"events": told}).encode(), "application/json"
    elif provider == "mailgun" and path.name.startswith("legacy_"):
        yield body, urlencode(told).encode(), "application/x-www-form-urlencoded"
    elif provider == "mailersend" and "recipient" in told.get("data", {}):
        nested = json.dumps(_nested(told)).encode()
        yield nested, nested, "application/json"
    elif provider == "ses":
        wrapped = {"Type": "Notification", "MessageId": "m1", "Message": body.decode()}
        yield body, json.dumps(wrapped).encode(), "application/json"
    else:
        yield body, body, "application/json"


def _nested(event: dict[str, Any]) -> dict[str, Any]:
    """MailerSend's form 1.0 of an event in form 2.0, which Anymail 15.2 does not read."""
    data = dict(event["data"])
    kinds = {"hard_bounced": "recipient_bounce", "soft_bounced": "recipient_bounce"}
    meta = data.pop("meta") or {}
    email = {
        "message": {"id": data.pop("message_id")},
        "recipient": {"email": data.pop("recipient")},
        "tags": data.pop("tags"),
    }
    morph = {"object": kinds.get(data["type"], data["type"]), **dict(meta)}
    return {**event, "data": {**data, "email": email, "morph": morph}}


def differences(provider: str) -> Iterator[tuple[str, str, str, str]]:
    """Every event of the provider's fixtures of which the two of us do not say the same."""
    receiver = PROVIDERS[provider].receiver
    assert receiver is not None
    for path in sorted((FIXTURES / provider).iterdir()):
        if (provider, path.stem) in NOT_OF_A_MAIL_SENT:
            continue
        for our_body, their_body, content_type in posts(provider, path):
            ours = list(receiver.parse({}, our_body))
            theirs = VIEWS[provider].read(their_body, content_type)
            assert len(ours) == len(theirs), path
            for heard, told in zip(ours, theirs, strict=True):
                if not says_the_same(heard, told):
                    yield provider, heard.provider_type, heard.provider_class, told.event_type


def says_the_same(heard: Heard, told: Any) -> bool:
    same_type = told.event_type in WORDS.get(heard.type, {heard.type.value})
    return same_type and heard.recipient == told.recipient and heard.url == told.click_url


# Its authors have no account there any more; the reading is as it was.
@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
@pytest.mark.parametrize("provider", VIEWS)
def test_anymail_reads_the_same_or_differs_for_a_reason(provider: str) -> None:
    known = frozenset().union(*DIFFERENCES.values())
    assert set(differences(provider)) == {key for key in known if key[0] == provider}


@pytest.mark.parametrize(("provider", "name"), sorted(NOT_OF_A_MAIL_SENT))
def test_what_tells_of_no_mail_of_ours_is_passed_over(provider: str, name: str) -> None:
    receiver = PROVIDERS[provider].receiver
    assert receiver is not None
    assert list(receiver.parse({}, (FIXTURES / provider / f"{name}.json").read_bytes())) == []
