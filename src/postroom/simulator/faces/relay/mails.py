"""The mails that come back: reports (RFC 3464), complaints (RFC 5965), vacation notices (RFC 3834).

A report is written by the server that gives up: the relay, or the recipient's own where the mail
had been taken there before.
"""

from email.utils import formatdate
from hashlib import sha256

from postroom.simulator.teller import Event

RELAY_HOST = "relay.sim.example"
KEPT_TRYING_S = 5 * 86_400
"""How long a relay says that it will try; the days are short here."""

_SUBJECTS = {
    "failed": "Undelivered: your mail could not be delivered",
    "delayed": "Delayed: your mail is still on its way",
    "delivered": "Delivered: your mail has arrived",
}
_SENTENCES = {
    "failed": "Your mail could not be delivered to this address:",
    "delayed": "Your mail is delayed, you need not send it again. This address has to wait:",
    "delivered": "Your mail was delivered to this address:",
}


def report(event: Event, action: str) -> str:
    """What the server has to say of one recipient."""
    copy, step = event.copy, event.step
    host = f"mx.{_domain(event)}"
    own = host if step.after_acceptance else RELAY_HOST
    prose = f"{_SENTENCES[action]}\r\n\r\n    <{copy.recipient}>: {step.text}\r\n"
    fields = [
        f"Original-Recipient: rfc822;{copy.recipient}",
        f"Final-Recipient: rfc822;{copy.recipient}",
        f"Action: {action}",
        f"Status: {step.code or _class_of(step.text)}",
        *([] if step.after_acceptance else [f"Remote-MTA: dns; {host}"]),
        f"Diagnostic-Code: smtp; {step.text}",
        f"Last-Attempt-Date: {formatdate(event.at)}",
    ]
    if action == "delayed":
        fields.append(f"Will-Retry-Until: {formatdate(copy.taken_at + KEPT_TRYING_S)}")
    arrived = [f"Reporting-MTA: dns; {own}", f"Arrival-Date: {formatdate(copy.taken_at)}", ""]
    head = [
        f"From: Mail delivery <MAILER-DAEMON@{own}>",
        f"Subject: {_SUBJECTS[action]}",
        "Auto-Submitted: auto-replied",
    ]
    return _multipart(event, head, "delivery-status", prose, [*arrived, *fields])


def complaint(event: Event) -> str:
    """What a mailbox operator passes on of a reader who wants no such mail."""
    copy, domain = event.copy, _domain(event)
    fields = [
        "Feedback-Type: abuse",
        "User-Agent: Feedback/1.0",
        "Version: 1",
        f"Original-Mail-From: <{copy.sender}>",
        f"Original-Rcpt-To: <{copy.recipient}>",
        f"Arrival-Date: {formatdate(event.at)}",
        f"Reporting-MTA: dns; mx.{domain}",
    ]
    head = [f"From: Feedback <feedback@{domain}>", "Subject: A report about a mail of yours"]
    prose = "A reader has reported this mail as unwanted.\r\n"
    return _multipart(event, head, "feedback-report", prose, fields)


def vacation_notice(event: Event) -> str:
    """What a person's mailbox answers while that person is away."""
    head = [
        f"From: {event.copy.recipient}",
        "Subject: Auto: away until Monday",
        f"In-Reply-To: {event.copy.header_message_id}",
        f"References: {event.copy.header_message_id}",
        "Auto-Submitted: auto-replied",
        "Content-Type: text/plain; charset=utf-8",
    ]
    return _mail(event, head, "I am away until Monday and will read your mail then.\r\n")


def _multipart(event: Event, head: list[str], kind: str, prose: str, fields: list[str]) -> str:
    """Prose, fields for machines, and the header section of the mail that it is about."""
    boundary = f"report-{sha256(event.id.encode()).hexdigest()[:24]}"
    content_type = f'multipart/report; report-type={kind}; boundary="{boundary}"'
    parts = [
        ("text/plain; charset=utf-8", prose),
        (f"message/{kind}", "\r\n".join([*fields, ""])),
        ("text/rfc822-headers", f"{event.copy.more['head']}\r\n"),
    ]
    written = [f"--{boundary}\r\nContent-Type: {type}\r\n\r\n{text}\r\n" for type, text in parts]
    body = "".join([*written, f"--{boundary}--\r\n"])
    return _mail(event, [*head, f"Content-Type: {content_type}"], body)


def _mail(event: Event, head: list[str], body: str) -> str:
    name = sha256(f"mail {event.id}".encode()).hexdigest()[:24]
    lines = [
        *head,
        f"To: {event.copy.sender}",
        f"Date: {formatdate(event.at)}",
        f"Message-ID: <{name}@{_domain(event)}>",
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: 8bit",
    ]
    return "\r\n".join([*lines, "", body])


def _domain(event: Event) -> str:
    return event.copy.recipient.rpartition("@")[2]


def _class_of(reply: str) -> str:
    """The most general enhanced code of a reply that has none."""
    return f"{reply[:1]}.0.0"
