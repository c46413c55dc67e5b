"""Replies as receiving servers write them, with the reason that each must lead to.

Written after the pages named in `domain/reason_operators.py` and `domain/reason_wordings.py`.
"""

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.domain.reason_codes import extract_codes
from tests.domain.told import Event

REPLIES: list[tuple[str, str, str]] = [
    # Gmail
    (
        "gmail.com",
        (
            "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
            "550-5.1.1 double-checking the recipient's email address. q1-2 - gsmtp"
        ),
        "address_unknown",
    ),
    (
        "gmail.com",
        "550 5.2.1 The email account that you tried to reach is disabled. - gsmtp",
        "mailbox_disabled",
    ),
    (
        "gmail.com",
        "552 5.2.2 The email account that you tried to reach is over quota. - gsmtp",
        "mailbox_full",
    ),
    (
        "gmail.com",
        "452 4.2.2 The recipient's inbox is out of storage space. - gsmtp",
        "mailbox_full",
    ),
    (
        "gmail.com",
        "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",
        "rate_limited",
    ),
    (
        "gmail.com",
        "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating",
        "rate_limited",
    ),
    (
        "gmail.com",
        "550 5.7.26 Your email has been blocked because the sender is unauthenticated.",
        "auth_failed",
    ),
    (
        "gmail.com",
        (
            "550 5.7.26 Unauthenticated email from example.com is not accepted due to "
            "domain's DMARC policy."
        ),
        "auth_failed",
    ),
    (
        "gmail.com",
        (
            "550 5.7.1 [192.0.2.1 12] Gmail has detected that this message is likely "
            "unsolicited mail."
        ),
        "content_refused",
    ),
    (
        "gmail.com",
        (
            "552 5.7.0 This message was blocked because its content presents a potential "
            "security issue."
        ),
        "attachment_refused",
    ),
    (
        "gmail.com",
        "550 5.7.25 The IP address sending this message does not have a PTR record setup",
        "ptr_or_ip_config",
    ),
    (
        "example.org",
        "552 5.3.4 Your message exceeded Google's message size limits.",
        "message_too_large",
    ),
    # Microsoft
    (
        "example.org",
        (
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) "
            "[AM0EUR02FT011.eop-EUR02.prod.protection.outlook.com]"
        ),
        "address_unknown",
    ),
    (
        "example.org",
        (
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient a@example.org not found "
            "by SMTP address lookup"
        ),
        "address_unknown",
    ),
    (
        "hotmail.com",
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
        "address_unknown",
    ),
    (
        "example.org",
        (
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication "
            "required; Delivery restriction check failed"
        ),
        "sender_not_permitted",
    ),
    ("example.org", "550 5.7.124 Sender not in allowed-senders list.", "sender_not_permitted"),
    (
        "outlook.com",
        (
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please "
            "contact your Internet service provider since part of their network is on our "
            "block list (S3150)."
        ),
        "reputation_block",
    ),
    (
        "example.org",
        "550 5.7.606 Access denied, banned sending IP [192.0.2.1].",
        "reputation_block",
    ),
    (
        "outlook.com",
        (
            "550 5.7.515 Access denied, sending domain EXAMPLE.COM does not meet the "
            "required authentication level."
        ),
        "auth_failed",
    ),
    (
        "example.org",
        (
            "550 5.7.509 Access denied, sending domain example.com does not pass DMARC "
            "verification and has a DMARC policy of reject."
        ),
        "auth_failed",
    ),
    (
        "outlook.com",
        (
            "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited "
            "due to IP reputation."
        ),
        "rate_limited",
    ),
    (
        "example.org",
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
        "mailbox_full",
    ),
    ("example.org", "550 4.4.7 QUEUE.Expired; message expired", "gave_up"),
    ("example.org", "554 5.4.14 Hop count exceeded - possible mail loop", "routing_or_network"),
    # Yahoo and AOL
    (
        "yahoo.com",
        (
            "554 delivery error: dd This user doesn't have a yahoo.com account "
            "(a@yahoo.com) [0] - mta4.mail.ne1.yahoo.com"
        ),
        "address_unknown",
    ),
    (
        "yahoo.com",
        (
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to "
            "unexpected volume or user complaints - 4.16.55.1"
        ),
        "reputation_block",
    ),
    (
        "yahoo.com",
        (
            "554 30 Sorry, your message to a@yahoo.com cannot be delivered. This mailbox is "
            "disabled (554.30)."
        ),
        "mailbox_disabled",
    ),
    ("yahoo.com", "552 1 Requested mail action aborted, mailbox not found", "address_unknown"),
    (
        "aol.com",
        "554 Message not allowed - [PH01] Email not accepted for policy reasons.",
        "content_refused",
    ),
    # Apple
    ("icloud.com", "550 5.1.1 <a@icloud.com>: user does not exist", "address_unknown"),
    ("me.com", "552 5.2.2 <a@me.com>: user is over quota", "mailbox_full"),
    ("icloud.com", "550 5.7.1 [CS01] Message rejected due to local policy.", "reputation_block"),
    ("icloud.com", "554 5.7.1 [HM08] Message rejected due to local policy.", "content_refused"),
    (
        "icloud.com",
        "421 4.7.1 Messages to a@icloud.com deferred due to excessive volume.",
        "rate_limited",
    ),
    # GMX and WEB.DE
    ("web.de", "550 Requested action not taken: mailbox unavailable", "address_unknown"),
    ("gmx.net", "554 No SMTP service. IP address is block listed.", "reputation_block"),
    ("gmx.de", "554 No SMTP service. Bad DNS PTR resource record.", "ptr_or_ip_config"),
    ("gmx.net", "550 Requested mail action aborted: exceeded storage allocation", "mailbox_full"),
    # Mail.ru, Yandex, Tencent
    (
        "mail.ru",
        (
            "550 Message was not accepted -- invalid mailbox. Local mailbox a@mail.ru is "
            "unavailable: user not found"
        ),
        "address_unknown",
    ),
    ("mail.ru", "550 spam message rejected. Please visit http://help.mail.ru", "content_refused"),
    ("yandex.ru", "554 5.7.1 Message rejected under suspicion of SPAM", "content_refused"),
    ("yandex.ru", "550 5.7.1 No such user!", "address_unknown"),
    ("qq.com", "550 Mailbox unavailable or access denied", "address_unknown"),
    ("qq.com", "550 Domain frequency limited [AQAAfx]. IP: 192.0.2.1.", "rate_limited"),
    # Gateways
    (
        "example.org",
        "554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1",
        "reputation_block",
    ),
    (
        "example.org",
        "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550",
        "address_unknown",
    ),
    (
        "example.org",
        (
            "451 Internal resources are temporarily unavailable - "
            "https://community.mimecast.com/docs/DOC-1369#451"
        ),
        "greylisted",
    ),
    ("example.org", "550 Administrative prohibition - envelope blocked", "policy_refused"),
    (
        "example.org",
        "550 cuda_nsu 5.1.1 <a@example.org> Recipient address rejected: User unknown",
        "address_unknown",
    ),
    # Postfix, Exim, Sendmail, qmail, Exchange on premises
    (
        "example.org",
        (
            "550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in "
            "virtual mailbox table"
        ),
        "address_unknown",
    ),
    (
        "example.org",
        "450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted",
        "greylisted",
    ),
    ("example.org", "554 5.7.1 <a@example.org>: Relay access denied", "routing_or_network"),
    (
        "example.org",
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        "reputation_block",
    ),
    (
        "example.org",
        "550 5.1.8 <news@example.com>: Sender address rejected: Domain not found",
        "sender_refused",
    ),
    ("example.org", "550 Unrouteable address", "address_unknown"),
    ("example.org", "550 Sender verify failed", "sender_refused"),
    ("example.org", "552 message size exceeds limit", "message_too_large"),
    ("example.org", "550 5.1.1 <a@example.org>... User unknown", "address_unknown"),
    ("example.org", "Sorry, no mailbox here by that name. (#5.1.1)", "address_unknown"),
    (
        "example.org",
        "Sorry, I couldn't find any host named example.org. (#5.1.2)",
        "domain_unknown",
    ),
    (
        "example.org",
        "552 sorry, that message size exceeds my databytes limit (#5.3.4)",
        "message_too_large",
    ),
    ("example.org", "550 5.7.1 Message rejected as spam by Content Filtering.", "content_refused"),
    ("example.org", "452 4.3.1 Insufficient system resources", "receiver_down"),
    ("example.org", "550 5.1.10 The domain accepts no mail: null MX", "domain_no_mail"),
    ("example.org", "530 5.7.0 Must issue a STARTTLS command first", "tls_required"),
    ("example.org", "554 5.6.1 Banned attachment type .exe", "attachment_refused"),
    ("example.org", "500 unknown recipient", "address_unknown"),
    ("example.org", "554 Transaction failed", "policy_refused"),
    ("example.org", "450 Requested mail action not taken: mailbox unavailable", "receiver_down"),
    ("example.org", "550 Requested action not taken: mailbox unavailable", "unclassified"),
    # Addresses between the words, with and without brackets
    ("example.org", "550 permanent error: user jo@example.org doesn't exist", "address_unknown"),
    ("example.org", "550 The account <jo@example.org> does not exist", "address_unknown"),
    ("example.org", "550 user unknown-spam@virus.example: refused", "unclassified"),
    # qmail ends every failure in the same words
    (
        "example.org",
        "192.0.2.1 does not like recipient. Remote host said: 550 5.1.1 no. Giving up on 192.0.2.1",
        "address_unknown",
    ),
    ("example.org", "Host not found, try again", "routing_or_network"),
    ("example.org", "an MX or SRV record indicated no SMTP service", "domain_no_mail"),
    ("example.org", "all relevant MX records point to non-existent hosts", "domain_unknown"),
    ("example.org", "550 Too many messages on the server for this user", "mailbox_full"),
    ("example.org", "550 5.2.121 Recipient's per hour message receive limit", "rate_limited"),
    (
        "example.org",
        "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
        "message_too_large",
    ),
    # Operators with words of their own
    (
        "t-online.de",
        "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help.) (BL)",
        "reputation_block",
    ),
    ("163.com", "554 DT:SPM 163 mx1", "content_refused"),
    ("163.com", "451 MI:SFQ 163 mx1", "rate_limited"),
    (
        "laposte.net",
        "550 5.5.0 Boite du destinataire archivee. Archived recipient.",
        "mailbox_disabled",
    ),
    # Other languages
    ("example.org", "550 Der Benutzer existiert nicht", "address_unknown"),
    ("example.org", "550 Empfaenger unbekannt", "address_unknown"),
    ("example.org", "550 utilisateur inconnu", "address_unknown"),
    ("example.org", "550 El usuario no existe", "address_unknown"),
    ("example.org", "550 casella postale inesistente", "address_unknown"),
    ("example.org", "550 Adres nie istnieje", "address_unknown"),
    ("example.org", "550 пользователь не найден", "address_unknown"),
    ("example.org", "550 用户不存在", "address_unknown"),
    ("example.org", "552 casella piena", "mailbox_full"),
]


@pytest.mark.parametrize(("domain", "reply", "reason"), REPLIES)
def test_a_reply_leads_to_its_reason(domain: str, reply: str, reason: str) -> None:
    reply_code, enhanced_code = extract_codes(reply)
    type = EventType.DEFERRED if reply.startswith("4") else EventType.BOUNCED
    event = Event(
        type, f"someone@{domain}", "", "", reply_code, enhanced_code, reply, given_up=False
    )
    assert read(event).reason == reason
