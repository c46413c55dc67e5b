"""What SES publishes to its topic: one event a post.

docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html and -examples.html,
read 2026-11-24.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from postroom.simulator.copies import Copy
from postroom.simulator.dice import Dice
from postroom.simulator.faces.ses.topic import Topic, body_of, new_key
from postroom.simulator.replies import Situation
from postroom.simulator.steps import Step, What, Why
from postroom.simulator.teller import Event, Post, Teller

Told = tuple[str, str, dict[str, Any]]
"""The vendor's type, the name of its object, and the object."""

BOUNCES: dict[Situation | None, tuple[str, str]] = {
    Situation.UNKNOWN: ("Permanent", "General"),
    Situation.DISABLED: ("Permanent", "General"),
    Situation.FULL: ("Transient", "MailboxFull"),
    Situation.SPAM: ("Transient", "ContentRejected"),
    Situation.BLOCKED: ("Transient", "General"),
    Situation.LATER: ("Transient", "General"),
    None: ("Undetermined", "Undetermined"),
}
"""The vendor's type and sub-type of a bounce, by what the receiver meant."""

DELAYS: dict[Situation | None, str] = {
    Situation.FULL: "MailboxFull",
    Situation.SPAM: "SpamDetected",
    Situation.BLOCKED: "IPFailure",
    Situation.LATER: "RecipientServerError",
    None: "General",
}

_HEADERS = {"Content-Type": "text/plain; charset=UTF-8", "User-Agent": "Amazon Simple Notification"}
_EXPIRES = dt.timedelta(hours=12)
_LIE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {"emailAddress": "", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550"}
    ],
}


class TopicTeller(Teller):
    """Tells by one topic."""

    time_limit_s = 15.0

    def __init__(self, name: str, url: str | None, topic: Topic, region: str) -> None:
        super().__init__(name, url)
        self._topic, self._region = topic, region
        self._stranger = Topic.of(new_key(), topic.arn, topic.endpoint, topic.version)

    def tell(self, event: Event) -> str | None:
        """The event as JSON text."""
        stamp = _stamp(event.at)
        name, own, told = _WORDS[event.step.what](event.step, event.copy)
        if own in {"bounce", "complaint"}:
            told["feedbackId"] = f"{event.copy.message_id[:16]}-{uuid.uuid5(_FACTS, event.id)}"
        if own not in {"send", "reject"}:
            told["timestamp"] = stamp
        if own == "bounce" and "reportingMTA" not in told:
            told["reportingMTA"] = f"dns; {self._server()}"
        if own in {"delivery", "deliveryDelay"}:
            told["reportingMTA"] = self._server()
        return json.dumps({"eventType": name, own: told, "mail": _mail(event.copy)})

    def post(self, entries: Sequence[str], at: float) -> Post:
        """The envelope with its signature."""
        (message,) = entries
        return _posted(self._topic.envelope(message, at))

    def reissued(self, entry: str, round_: int) -> str:
        """The same fact published once more: under another id of the notification."""
        return entry + "\n" * (round_ + 1)

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Unsigned, under a stranger's key, or under the signature of the true story."""
        told = json.loads(entries[0])
        lie = {"eventType": "Bounce", "mail": told["mail"], "bounce": {**_LIE, "timestamp": ""}}
        lie["bounce"]["bouncedRecipients"][0]["emailAddress"] = told["mail"]["destination"][0]
        envelope = self._stranger.envelope(json.dumps(lie), at)
        others = json.loads(true.body)["Signature"]
        return _posted({**envelope, "Signature": dice.pick(["", envelope["Signature"], others])})

    def is_final(self, status: int) -> bool:
        """Amazon repeats after 5xx, 429 and silence; any other refusal it takes for good."""
        return 400 <= status < 500 and status != 429

    def _server(self) -> str:
        return f"a8-31.smtp-out.{self._region}.amazonses.com"


_FACTS = uuid.UUID("0d6a3c4e-5b1d-4f7c-8a2e-93c1b7d0f6aa")


def _posted(envelope: dict[str, str]) -> Post:
    names = {
        "x-amz-sns-message-type": envelope["Type"],
        "x-amz-sns-message-id": envelope["MessageId"],
        "x-amz-sns-topic-arn": envelope["TopicArn"],
    }
    return Post(body_of(envelope), {**_HEADERS, **names})


def _mail(copy: Copy) -> dict[str, Any]:
    tags = {name: [value] for name, value in copy.metadata.items()}
    set_name = copy.more.get("configuration_set")
    own = {"ses:configuration-set": [set_name]} if set_name else {}
    return {
        "timestamp": _stamp(copy.taken_at),
        "source": copy.sender,
        "sendingAccountId": "123456789012",
        "messageId": copy.message_id,
        "destination": [copy.recipient],
        "headersTruncated": False,
        "headers": [{"name": "To", "value": ", ".join(copy.to)}],
        "commonHeaders": {"from": [copy.sender], "to": list(copy.to)},
        "tags": {**own, **tags},
    }


def _said(step: Step, copy: Copy) -> dict[str, Any]:
    """A recipient with the report that came about it."""
    return {
        "emailAddress": copy.recipient,
        "action": "failed" if step.what is What.BOUNCED else "delayed",
        "status": step.code or "5.0.0",
        "diagnosticCode": f"smtp; {step.text}",
    }


def _sent(step: Step, copy: Copy) -> Told:
    del step, copy
    return "Send", "send", {}


def _delayed(step: Step, copy: Copy) -> Told:
    until = copy.taken_at + _EXPIRES.total_seconds()
    told = {
        "delayType": DELAYS.get(step.situation, "General"),
        "expirationTime": _stamp(until),
        "delayedRecipients": [_said(step, copy)],
    }
    return "DeliveryDelay", "deliveryDelay", told


def _delivered(step: Step, copy: Copy) -> Told:
    told = {
        "processingTimeMillis": 900,
        "recipients": [copy.recipient],
        "smtpResponse": step.text,
        "remoteMtaIp": "192.0.2.25",
    }
    return "Delivery", "delivery", told


def _bounced(step: Step, copy: Copy) -> Told:
    kind, sub_type = ("Transient", "General") if step.gave_up else BOUNCES[step.situation]
    told: dict[str, Any] = {
        "bounceType": kind,
        "bounceSubType": sub_type,
        "bouncedRecipients": [_said(step, copy)],
    }
    if step.after_acceptance:
        told["reportingMTA"] = f"dsn; mx.{copy.recipient.rpartition('@')[2]}"
    return "Bounce", "bounce", told


def _dropped(step: Step, copy: Copy) -> Told:
    if step.why is Why.FLAWED:
        return "Reject", "reject", {"reason": "Bad content"}
    if step.why is Why.COMPLAINED_BEFORE:
        return "Complaint", "complaint", _complaint(copy, "OnAccountSuppressionList")
    text = (
        "Amazon SES did not send the message to this address because it is on the suppression"
        " list for your account."
    )
    told = {
        "bounceType": "Permanent",
        "bounceSubType": "OnAccountSuppressionList",
        "bouncedRecipients": [
            {
                "emailAddress": copy.recipient,
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": text,
            }
        ],
    }
    return "Bounce", "bounce", told


def _auto_replied(step: Step, copy: Copy) -> Told:
    """As the vendor's own simulator tells of ooto@: a bounce without a report."""
    del step
    told = {
        "bounceType": "Transient",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": copy.recipient}],
    }
    return "Bounce", "bounce", told


def _complained(step: Step, copy: Copy) -> Told:
    del step
    report = {"userAgent": "Simulated Feedback Loop 1.0", "complaintFeedbackType": "abuse"}
    return "Complaint", "complaint", {**_complaint(copy, None), **report}


def _complaint(copy: Copy, sub_type: str | None) -> dict[str, Any]:
    return {
        "complainedRecipients": [{"emailAddress": copy.recipient}],
        "complaintSubType": sub_type,
    }


def _opened(step: Step, copy: Copy) -> Told:
    del copy
    return "Open", "open", {"ipAddress": step.ip, "userAgent": step.agent}


def _clicked(step: Step, copy: Copy) -> Told:
    told = {
        "ipAddress": step.ip,
        "userAgent": step.agent,
        "link": copy.url or "https://sim.example/",
        "linkTags": None,
    }
    return "Click", "click", told


def _unsubscribed(step: Step, copy: Copy) -> Told:
    del step, copy
    told = {
        "contactList": "simulator",
        "source": "UnsubscribeHeader",
        "newTopicPreferences": _preferences(unsubscribed=True),
        "oldTopicPreferences": _preferences(unsubscribed=False),
    }
    return "Subscription", "subscription", told


def _preferences(*, unsubscribed: bool) -> dict[str, Any]:
    return {"unsubscribeAll": unsubscribed, "topicSubscriptionStatus": []}


_WORDS: Mapping[What, Callable[[Step, Copy], Told]] = {
    What.ACCEPTED: _sent,
    What.DEFERRED: _delayed,
    What.DELIVERED: _delivered,
    What.BOUNCED: _bounced,
    What.DROPPED: _dropped,
    What.AUTO_REPLIED: _auto_replied,
    What.COMPLAINED: _complained,
    What.OPENED: _opened,
    What.CLICKED: _clicked,
    What.UNSUBSCRIBED: _unsubscribed,
}
"""What the vendor says of each thing that can happen."""


def _stamp(at: float) -> str:
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
