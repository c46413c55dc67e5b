"""What receiving servers say: a literal table of replies by mail operator, as seen in 2024-26.

Codes and the short phrases that classify a reply are kept; the help links and explanations
around them are shortened. `{address}`, `{domain}`, `{id}` and `{ip}` are filled in per mail.
Read on 2026-11-24:

- Google: support.google.com/a/answer/3726730 (Gmail SMTP errors and codes)
- Microsoft: spamresource.com/2023/09 and /2025/02 (kinds of "no such user"), smtp.codes/outlook
- Yahoo and AOL: smtp.codes/yahoo, postmaster.yahooinc.com/error-codes
- iCloud: smtp.codes/icloud
- GMX and WEB.DE: postmaster.gmx.com/en/error-messages, which promises no enhanced codes
- Mimecast: its knowledge article on SMTP error codes
- Proofpoint: smtp.codes/550, suped.com on dynamic reputation blocks
- Postfix: the default texts of smtpd(8), local(8), virtual(8) and of postgrey(8)
- Exchange on premises: learn.microsoft.com, non-delivery report codes
"""

from dataclasses import dataclass
from enum import StrEnum

from postroom.simulator.dice import Dice


class Situation(StrEnum):
    """What a receiving server has to say something about."""

    TAKEN = "taken"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    FULL = "full"
    LATER = "later"
    BLOCKED = "blocked"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: the line as the provider passes it on, and its enhanced code where it has one."""

    line: str
    status: str | None = None

    def filled(self, address: str, dice: Dice) -> str:
        """The line for one mail."""
        if "{" not in self.line:
            return self.line
        return self.line.format(
            address=address,
            domain=address.rpartition("@")[2],
            id=f"{int(dice.fraction() * 2**32):08x}",
            ip=f"198.51.100.{int(dice.between(1, 255))}",
        )


Replies = dict[Situation, tuple[Reply, ...]]

GOOGLE: Replies = {
    Situation.TAKEN: (Reply("250 2.0.0 OK {id} - gsmtp", "2.0.0"),),
    Situation.UNKNOWN: (
        Reply(
            "550 5.1.1 The email account that you tried to reach does not exist. {id} - gsmtp",
            "5.1.1",
        ),
    ),
    Situation.DISABLED: (
        Reply(
            "550 5.2.1 The email account that you tried to reach is inactive. {id} - gsmtp", "5.2.1"
        ),
    ),
    Situation.FULL: (
        Reply("552 5.2.2 The recipient's inbox is out of storage space. {id} - gsmtp", "5.2.2"),
    ),
    Situation.LATER: (
        Reply("421 4.7.28 Gmail has detected an unusual rate of mail. {id} - gsmtp", "4.7.28"),
        Reply("450 4.2.1 The user is receiving mail too quickly. {id} - gsmtp", "4.2.1"),
        Reply("421 4.3.0 Temporary System Problem. Try again later. {id} - gsmtp", "4.3.0"),
    ),
    Situation.BLOCKED: (
        Reply(
            "550 5.7.1 [{ip}] The IP you're using to send mail is not authorized. {id} - gsmtp",
            "5.7.1",
        ),
    ),
    Situation.SPAM: (
        Reply("550 5.7.1 This message is likely unsolicited mail. {id} - gsmtp", "5.7.1"),
    ),
}

OUTLOOK: Replies = {
    Situation.TAKEN: (Reply("250 2.6.0 <{id}@{domain}> Queued mail for delivery", "2.6.0"),),
    Situation.UNKNOWN: (
        Reply("550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", "5.5.0"),
    ),
    Situation.DISABLED: (Reply("550 5.2.1 Mailbox cannot be accessed: account disabled", "5.2.1"),),
    Situation.FULL: (
        Reply("554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", "5.2.2"),
    ),
    Situation.LATER: (
        Reply(
            "451 4.7.650 The mail server [{ip}] has been temporarily rate limited (S775)", "4.7.650"
        ),
        Reply("451 4.3.2 Temporary server error. Please try again later", "4.3.2"),
    ),
    Situation.BLOCKED: (
        Reply(
            "550 5.7.1 Unfortunately, messages from [{ip}] weren't sent: part of their network"
            " is on our block list (S3140).",
            "5.7.1",
        ),
    ),
    Situation.SPAM: (Reply("550 5.7.1 Message rejected as spam by Content Filtering.", "5.7.1"),),
}

EXCHANGE_ONLINE: Replies = {
    Situation.TAKEN: (
        Reply(
            "250 2.6.0 <{id}@{domain}> [Hostname=PROD.OUTLOOK.COM] Queued mail for delivery",
            "2.6.0",
        ),
    ),
    Situation.UNKNOWN: (
        Reply(
            "550 5.4.1 Recipient address rejected: Access denied. [{id}.prod.outlook.com]", "5.4.1"
        ),
        Reply(
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {address} not found by SMTP"
            " address lookup",
            "5.1.10",
        ),
    ),
    Situation.DISABLED: (
        Reply("550 5.2.1 Mailbox cannot be accessed: mailbox is disabled", "5.2.1"),
    ),
    Situation.FULL: (
        Reply("554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", "5.2.2"),
    ),
    Situation.LATER: (
        Reply("451 4.7.500 Server busy. Please try again later (S77719)", "4.7.500"),
        Reply("451 4.4.3 Temporary server error. Please try again later ATTR5", "4.4.3"),
    ),
    Situation.BLOCKED: (Reply("550 5.7.606 Access denied, banned sending IP [{ip}]", "5.7.606"),),
    Situation.SPAM: (Reply("550 5.7.1 Message rejected as spam by Content Filtering.", "5.7.1"),),
}

YAHOO: Replies = {
    Situation.TAKEN: (Reply("250 ok dirdel"),),
    Situation.UNKNOWN: (
        Reply("552 1 Requested mail action aborted, mailbox not found"),
        Reply("554 delivery error: dd This user doesn't have a {domain} account ({address})"),
    ),
    Situation.DISABLED: (
        Reply(
            "554 30 Sorry, your message to {address} cannot be delivered. This mailbox is disabled"
        ),
    ),
    Situation.FULL: (Reply("552 5.2.2 Mailbox is over quota ({address})", "5.2.2"),),
    Situation.LATER: (
        Reply(
            "421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume"
            " or user complaints - 4.16.55.1",
            "4.7.0",
        ),
        Reply("451 4.3.2 Internal server error", "4.3.2"),
    ),
    Situation.BLOCKED: (
        Reply(
            "553 5.7.1 [BL21] Connections will not be accepted from {ip}: ip is in Spamhaus's list",
            "5.7.1",
        ),
    ),
    Situation.SPAM: (
        Reply("554 5.7.9 Message not accepted for policy reasons: spam content", "5.7.9"),
    ),
}

ICLOUD: Replies = {
    Situation.TAKEN: (Reply("250 2.0.0 Ok: queued as {id}", "2.0.0"),),
    Situation.UNKNOWN: (Reply("550 5.1.1 <{address}>: user does not exist", "5.1.1"),),
    Situation.DISABLED: (Reply("550 5.1.1 <{address}>: inactive email address", "5.1.1"),),
    Situation.FULL: (Reply("552 5.2.2 <{address}>: user is over quota", "5.2.2"),),
    Situation.LATER: (
        Reply(
            "421 4.7.1 Messages to {address} deferred due to excessive volume. Try again later",
            "4.7.1",
        ),
        Reply("451 4.7.1 Service unavailable - try again later", "4.7.1"),
    ),
    Situation.BLOCKED: (
        Reply("554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip={ip}", "5.7.0"),
    ),
    Situation.SPAM: (
        Reply("554 5.7.1 [HM08] Message rejected as spam due to its content", "5.7.1"),
    ),
}

GMX: Replies = {
    Situation.TAKEN: (Reply("250 Requested mail action okay, completed: id={id}"),),
    Situation.UNKNOWN: (Reply("550 Requested action not taken: mailbox unavailable"),),
    Situation.DISABLED: (Reply("550 Requested action not taken: mailbox disabled"),),
    Situation.FULL: (Reply("552 Requested mail action aborted: exceeded storage allocation"),),
    Situation.LATER: (
        Reply("421 Rate limit reached. Please try again later"),
        Reply("451 Requested action aborted: local error in processing"),
    ),
    Situation.BLOCKED: (Reply("554 No SMTP service. IP address is block listed. {ip}"),),
    Situation.SPAM: (Reply("554 Transaction failed. Message refused: identified as spam"),),
}

MIMECAST: Replies = {
    Situation.TAKEN: (Reply("250 SmtpThread-{id}@mimecast.com Received OK"),),
    Situation.UNKNOWN: (Reply("550 Invalid Recipient - https://community.mimecast.com [{id}]"),),
    Situation.DISABLED: (
        Reply("550 5.2.1 {address} mailbox disabled, not accepting messages", "5.2.1"),
    ),
    Situation.FULL: (Reply("552 5.2.2 {address} mailbox is over quota", "5.2.2"),),
    Situation.LATER: (
        Reply("451 Internal resources are temporarily unavailable - greylisted [{id}]"),
        Reply("421 Unable to process connection at this time [{id}]"),
    ),
    Situation.BLOCKED: (Reply("550 {ip} Poor Reputation Sender. Listed on a block list [{id}]"),),
    Situation.SPAM: (Reply("554 Email rejected due to security policies - spam signature [{id}]"),),
}

PROOFPOINT: Replies = {
    Situation.TAKEN: (Reply("250 2.0.0 {id} Message accepted for delivery", "2.0.0"),),
    Situation.UNKNOWN: (Reply("550 5.1.1 <{address}>: User Unknown", "5.1.1"),),
    Situation.DISABLED: (Reply("550 5.2.1 <{address}>: mailbox disabled", "5.2.1"),),
    Situation.FULL: (Reply("552 5.2.2 <{address}>: mailbox full", "5.2.2"),),
    Situation.LATER: (Reply("451 4.7.1 Greylisted: try again later", "4.7.1"),),
    Situation.BLOCKED: (
        Reply("554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip={ip}", "5.7.0"),
    ),
    Situation.SPAM: (Reply("550 5.7.0 Message rejected: spam content", "5.7.0"),),
}

POSTFIX: Replies = {
    Situation.TAKEN: (Reply("250 2.0.0 Ok: queued as {id}", "2.0.0"),),
    Situation.UNKNOWN: (
        Reply(
            "550 5.1.1 <{address}>: Recipient address rejected:"
            " User unknown in virtual mailbox table",
            "5.1.1",
        ),
        Reply(
            "550 5.1.1 <{address}>: Recipient address rejected:"
            " User unknown in local recipient table",
            "5.1.1",
        ),
    ),
    Situation.DISABLED: (
        Reply("550 5.2.1 <{address}>: Recipient address rejected: mailbox disabled", "5.2.1"),
    ),
    Situation.FULL: (
        Reply("552 5.2.2 <{address}>: Recipient address rejected: Mailbox is full", "5.2.2"),
    ),
    Situation.LATER: (
        Reply("450 4.2.0 <{address}>: Recipient address rejected: Greylisted", "4.2.0"),
        Reply("451 4.3.0 <{address}>: Temporary lookup failure", "4.3.0"),
        Reply("452 4.3.1 Insufficient system storage", "4.3.1"),
    ),
    Situation.BLOCKED: (
        Reply(
            "554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org",
            "5.7.1",
        ),
    ),
    Situation.SPAM: (Reply("554 5.7.1 Message rejected as spam: content score too high", "5.7.1"),),
}

EXCHANGE: Replies = {
    Situation.TAKEN: (Reply("250 2.6.0 <{id}@{domain}> Queued mail for delivery", "2.6.0"),),
    Situation.UNKNOWN: (
        Reply("550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", "5.1.1"),
        Reply("550 5.1.1 User unknown", "5.1.1"),
    ),
    Situation.DISABLED: (Reply("550 5.2.1 mailbox disabled, not accepting messages", "5.2.1"),),
    Situation.FULL: (Reply("554 5.2.2 mailbox full", "5.2.2"),),
    Situation.LATER: (
        Reply("452 4.3.1 Insufficient system resources", "4.3.1"),
        Reply("421 4.3.2 Service not available", "4.3.2"),
    ),
    Situation.BLOCKED: (
        Reply(
            "550 5.7.1 Recipient not authorized, your IP {ip} has been found on a block list",
            "5.7.1",
        ),
    ),
    Situation.SPAM: (Reply("550 5.7.1 Message rejected as spam by Content Filtering.", "5.7.1"),),
}
