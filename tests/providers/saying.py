"""The same failure as every provider tells it: bodies in each one's own form."""

import json
from collections.abc import Callable
from typing import Any


def ses(recipient: str, words: str) -> Any:
    """Event publishing, raw."""
    one = {"emailAddress": recipient, "action": "failed", "diagnosticCode": f"smtp; {words}"}
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [one],
        "timestamp": "2026-11-24T08:00:00.000Z",
    }
    mail = {"messageId": "0100-aa", "destination": [recipient]}
    return {"eventType": "Bounce", "mail": mail, "bounce": bounce}


def sendgrid(recipient: str, words: str) -> Any:
    """Event Webhook, without a classification."""
    event = {"event": "bounce", "type": "bounce", "email": recipient, "reason": words}
    return [event | {"timestamp": 1795507200, "sg_event_id": "e1", "sg_message_id": "m1.filter"}]


def mailgun(recipient: str, words: str) -> Any:
    """`failed`, permanent, which names no class but `generic`."""
    event = {
        "event": "failed",
        "severity": "permanent",
        "reason": "generic",
        "recipient": recipient,
        "timestamp": 1795507200.5,
        "delivery-status": {"message": words},
    }
    return {"signature": {}, "event-data": event}


def postmark(recipient: str, words: str) -> Any:
    """A bounce of no type that the service knows."""
    event = {"RecordType": "Bounce", "Type": "Unknown", "Email": recipient, "Details": words}
    return event | {"MessageID": "m1", "ID": 4, "BouncedAt": "2026-11-24T08:00:00Z"}


def sparkpost(recipient: str, words: str) -> Any:
    """Class 1, undetermined."""
    event = {"type": "bounce", "bounce_class": "1", "rcpt_to": recipient, "raw_reason": words}
    return [{"msys": {"message_event": event | {"timestamp": "1795507200"}}}]


def mailjet(recipient: str, words: str) -> Any:
    """A hard bounce whose class says nothing."""
    event = {"event": "bounce", "hard_bounce": True, "error": "system issue", "comment": words}
    return [event | {"email": recipient, "time": 1795507200, "MessageID": 5}]


def brevo(recipient: str, words: str) -> Any:
    """A hard bounce."""
    return {"event": "hard_bounce", "email": recipient, "reason": words, "ts_event": 1795507200}


def resend(recipient: str, words: str) -> Any:
    """A permanent bounce with the receiver's words."""
    bounce = {"type": "Permanent", "subType": "General", "diagnosticCode": [f"smtp; {words}"]}
    data = {"email_id": "m1", "to": [recipient], "bounce": bounce}
    return {"type": "email.bounced", "created_at": "2026-11-24T08:00:00.000Z", "data": data}


def mailtrap(recipient: str, words: str) -> Any:
    """A bounce without a category."""
    event = {"event": "bounce", "email": recipient, "response": words, "message_id": "m1"}
    return {"events": [event | {"timestamp": 1795507200, "event_id": "e1"}]}


def mailersend(recipient: str, words: str) -> Any:
    """The flat form, 2.0."""
    data = {"id": "e1", "recipient": recipient, "message_id": "m1", "meta": {"reason": words}}
    return {"type": "activity.hard_bounced", "created_at": "2026-11-24T08:00:00Z", "data": data}


def postal(recipient: str, words: str) -> Any:
    """A failed delivery."""
    mail = {"to": recipient, "message_id": "m1@x", "direction": "outgoing"}
    payload = {"message": mail, "output": words, "details": "Permanent failure"}
    return {"event": "MessageDeliveryFailed", "uuid": "e1", "payload": payload}


SAYING: dict[str, Callable[[str, str], Any]] = {
    "ses": ses,
    "sendgrid": sendgrid,
    "mailgun": mailgun,
    "postmark": postmark,
    "sparkpost": sparkpost,
    "mailjet": mailjet,
    "brevo": brevo,
    "resend": resend,
    "mailtrap": mailtrap,
    "mailersend": mailersend,
    "postal": postal,
}
"""Every provider's way to say that this recipient's server answered with these words."""


def bounce_mail(
    recipient: str, words: str, status: str = "5.0.0", action: str = "failed", more: str = ""
) -> bytes:
    """The same as a delivery report (RFC 3464)."""
    return (
        "From: MAILER-DAEMON@relay.example\nTo: news@corp.example\n"
        "Subject: Returned mail\nDate: Tue, 24 Nov 2026 09:00:00 +0100\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nYour mail came back.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"
        f"{more}Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {words}\n\n--b--\n"
    ).encode()


def body(provider: str, recipient: str, words: str) -> bytes:
    """The bytes that this provider would post."""
    return json.dumps(SAYING[provider](recipient, words)).encode()
