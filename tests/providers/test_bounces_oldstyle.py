"""Bounces without a report: how each mail system says who failed and why, in its own form."""

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.reason import Suppress, read
from postroom.providers.bounces import parse_mail

SYSTEM = "Mail Delivery System <MAILER-DAEMON@mx.example.net>"


def bounce(text: str, subject: str = "Undelivered mail", sender: str = SYSTEM) -> bytes:
    head = f"From: {sender}\nTo: news@corp.example\nSubject: {subject}\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{text}\n".encode()


FORMS: dict[str, tuple[str, list[str], str]] = {
    "qmail": (
        "Hi. This is the qmail-send program at mx.example.net.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<jo@example.com>:\n192.0.2.1 does not like recipient.\n"
        "Remote host said: 550 5.1.1 User unknown\nGiving up on 192.0.2.1.\n\n"
        "--- Below this line is a copy of the message.\n\nTo: al@example.org\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "exim": (
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n"
        "  jo@example.com\n    SMTP error from remote mail server after RCPT TO:<jo@example.com>:\n"
        "    host mx.example.com [192.0.2.1]: 550 5.2.2 mailbox is full\n"
        "  al@example.com\n    Unrouteable address\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\nTo: x@example.org",
        ["jo@example.com", "al@example.com"],
        "mailbox_full",
    ),
    "postfix": (
        "This is the mail system at host mx.example.net.\n\n"
        "I'm sorry to have to inform you that your message could not\n"
        "be delivered to one or more recipients.\n\n"
        "<jo@example.com>: host mx.example.com[192.0.2.1] said: 552 5.2.2\n"
        "    over quota (in reply to RCPT TO command)\n",
        ["jo@example.com"],
        "mailbox_full",
    ),
    "sendmail 8": (
        "The original message was received at Tue, 24 Nov 2026 09:00:00 +0100\n"
        "from app.corp.example [192.0.2.9]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n"
        "<jo@example.com>\n    (reason: 550 5.1.1 <jo@example.com>... User unknown)\n\n"
        "   ----- Transcript of session follows -----\n"
        "... while talking to mx.example.com.:\n>>> DATA\n"
        "<<< 550 5.1.1 <jo@example.com>... User unknown\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "sendmail 5": (
        "   ----- Transcript of session follows -----\n"
        ">>> RCPT To:<jo@example.com>\n<<< 550 <jo@example.com>, User Unknown\n"
        "550 <jo@example.com>... User unknown\n\n"
        "   ----- Unsent message follows -----\nReceived: by x.example; id 1\nTo: jo@example.com\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "courier": (
        "This is a delivery status notification from mx.example.net,\n"
        "running the Courier mail server, version 0.65.2.\n\n"
        "                           UNDELIVERABLE MAIL\n\n"
        "Your message to the following recipients cannot be delivered:\n\n"
        "<jo@example.com>:\n    mx.example.com [192.0.2.1]:\n>>> RCPT TO:<jo@example.com>\n"
        "<<< 550 5.1.1 <jo@example.com>... User Unknown\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "opensmtpd": (
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n"
        "    An error has occurred while attempting to deliver a message for\n"
        "    the following list of recipients:\n\n"
        "jo@example.com: 550 5.2.2 <jo@example.com>... Mailbox Full\n\n"
        "    Below is a copy of the original message:\n\nTo: x@example.org\n",
        ["jo@example.com"],
        "mailbox_full",
    ),
    "dragonfly": (
        "This is the DragonFly Mail Agent v0.13 at mx.example.net.\n\n"
        "There was an error delivering your mail to <jo@example.com>.\n\n"
        "mx.example.com [192.0.2.1] did not like our RCPT TO:\n550 5.1.1 User Unknown\n\n"
        "Original message headers follow.\n\nTo: jo@example.com\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "exchange 5.5": (
        "Your message\n\n  To:      al@example.org\n  Subject: News\n"
        "  Sent:    Tue, 24 Nov 2026 09:00:00 +0100\n\n"
        "did not reach the following recipient(s):\n\n"
        "jo@example.com on Tue, 24 Nov 2026 09:00:03 +0100\n"
        "    The recipient name is not recognized\n"
        "\tMSEXCH:IMS:EXAMPLE:SITE:SERVER 0 (000C05A6) Unknown Recipient\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "domino": (
        "Your message\n\n  Subject: News\n\nwas not delivered to:\n\n  jo@example.com\n\nbecause:\n\n"
        "  User jo (jo@example.com) not listed in Domino Directory\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "notes": (
        "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\n"
        "jo@example.com\n\n------- Returned Message --------\nTo: al@example.org\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "groupwise": (
        "The message that you sent was undeliverable to the following:\n"
        "\tjo@example.com (user not found)\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "imail": (
        "Unknown user: jo@example.com\n\n\nOriginal message follows.\n\nTo: al@example.org\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "imail, size": (
        "User mailbox exceeds allowed size: jo@example.com\n\n\nOriginal message follows.\n",
        ["jo@example.com"],
        "mailbox_full",
    ),
    "interscan": (
        "                  **** Message from InterScan E-Mail VirusWall NT ****\n\n"
        "Sent <<< RCPT TO:<jo@example.com>\n"
        "Received >>> 550 5.1.1 <jo@example.com>... user unknown\n"
        "Unable to deliver message to <jo@example.com>\n\n"
        "                  **** End of message ****\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "mailmarshal": (
        "Your message:\n   From:    news@corp.example\n   Subject: News\n\n"
        "Could not be delivered because of\n\n550 5.1.1 User unknown\n\n"
        "The following recipients were affected: \n   jo@example.com\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "m-filter": (
        "このメールは「m-FILTER」が自動的に生成して送信しています。\n"
        "以下のメールアドレスへの送信に失敗しました。\njo@example.com\n\n\n"
        "-------server message\n550 5.1.1 unknown user <jo@example.com>\n\n"
        "-------SMTP command\nDATA\n\n-------original message\nTo: al@example.org\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "active!hunter": (
        "  ----- The following addresses had permanent fatal errors -----\n\n"
        ">>> jo@example.com <jo@example.com>\n\n"
        "  ----- Transcript of session follows -----\n550 sorry, no mailbox here by that name\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "yahoo": (
        "Message from  yahoo.example.\nUnable to deliver message to the following address(es).\n\n"
        "<jo@example.com>:\nThis user doesn't have a example.com account (jo@example.com) [0]\n\n"
        "--- Original message follows.\n\nTo: al@example.org\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "gmail": (
        "Delivery to the following recipient failed permanently:\n\n     jo@example.com\n\n"
        "Technical details of permanent failure: \n"
        "Google tried to deliver your message, but it was rejected by the recipient domain.\n"
        "The error that the other server returned was: 550 550 5.1.1 User unknown (state 14).\n\n"
        "   ----- Original message -----\n\nReceived: by 192.0.2.3 with SMTP id x\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "zoho": (
        "This message was created automatically by mail delivery software.\n"
        " A message that you sent could not be delivered to one or more of its recipients."
        " This is a permanent error.\n\n"
        "jo@example.com Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 User Unknown\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "kddi": (
        "Your mail sent on: Tue, 24 Nov 2026 09:00:00 +0900\n"
        "    Could not be delivered to: <jo@example.com>\n"
        "    As their mailbox is full.\n",
        ["jo@example.com"],
        "mailbox_full",
    ),
    "ezweb": (
        "The user(s) account is disabled.\n\n"
        "<jo@example.com>: 550 user unknown (in reply to RCPT TO command)\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "verizon": (
        "Error: 550 - Requested action not taken: no such user here\n\n"
        "Message details:\n  Subject: News\n  MAIL FROM: news@corp.example\n"
        "  RCPT TO: jo@example.com\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "mailfoundry": (
        "Unable to deliver message to: <jo@example.com>\nDelivery failed for the following reason:\n"
        "Server mx.example.com[192.0.2.1] failed with: 550 <jo@example.com> No such user here\n\n"
        "This has been a permanent failure.  No further delivery attempts will be made.\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "mcafee": (
        "This email was sent automatically by mail delivery software.\n\n"
        "The following addresses had delivery problems:\n\n"
        "<jo@example.com>   (User unknown jo@example.com)\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "surfcontrol": (
        "Your message could not be delivered.\n\nAddressed To: jo@example.com\n\n"
        "jo@example.com: [192.0.2.5], 550 jo@example.com... No such user\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "james": (
        "Hi. This is the James mail server at mx.example.net.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
        "Message details:\n  Subject: News\n  MAIL FROM: news@corp.example\n"
        "  RCPT TO: jo@example.com\n  From: news@corp.example\n  To: all@corp.example\n\n"
        "Error message below:\n550 - Requested action not taken: no such user here\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "messaging server": (
        "This report relates to a message you sent with the following header fields:\n\n"
        "  Message-id: <1@corp.example>\n  From: News <news@corp.example>\n  To: all@corp.example\n\n"
        "Your message cannot be delivered to the following recipients:\n\n"
        "  Recipient address: jo@example.com\n  Reason: Remote SMTP server has rejected address\n"
        "  Diagnostic code: smtp;550 5.1.1 <jo@example.com>... User Unknown\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "mdaemon": (
        "The following data may contain sections which represent BASE64 encoded file attachments.\n\n"
        "The following addresses did NOT receive a copy of your message:\n\n> jo@example.com\n\n"
        "--- Session Transcript ---\n --> RCPT To:<jo@example.com>\n <-- 550 User unknown\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "mailenable": (
        "Message could not be delivered to some recipients.\n"
        "The following recipient(s) could not be reached:\n\n"
        "\tRecipient: [SMTP:jo@example.com]\n\tReason: The mailbox is full\n\n"
        "Message headers follow:\n\nTo: al@example.org\n",
        ["jo@example.com"],
        "mailbox_full",
    ),
    "1&1": (
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you have sent could not be delivered to one or more recipients. This is a\n"
        "permanent error.  The following address failed:\n\n"
        "<jo@example.com>:\n mail size limit exceeded\n\n--- The header of the original message",
        ["jo@example.com"],
        "message_too_large",
    ),
    "aol": (
        "Your mail to the following recipients could not be delivered because they are not accepting"
        " mail from news@corp.example:\n\tjo\n",
        ["jo@mx.example.net"],
        "unclassified",
    ),
    "biglobe": (
        "   ----- The following addresses had delivery problems -----\njo@example.com\n\n"
        "   ----- Non-delivered information -----\n"
        "The number of messages in recipient's mailbox exceeded the local limit.\n",
        ["jo@example.com"],
        "mailbox_full",
    ),
    "x5 star list": (
        "============================================================\n"
        "      This is an automatically generated Delivery Status Notification.\n\n"
        "Delivery to the following recipients failed permanently:\n\n  * jo@example.com\n\n\n"
        "============================================================\n"
        "                             Technical details:\n\n"
        "SMTP:RCPT host 192.0.2.8: 553 5.3.0 <jo@example.com>... No such user here\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "permanent errors": (
        "We had trouble delivering your message. Full details follow:\n\n1 error(s):\n\n"
        "The following recipients returned permanent errors: jo@example.com. Reason: the server"
        " said: [554 5.4.6 Hop count exceeded - possible mail loop]\n",
        ["jo@example.com"],
        "routing_or_network",
    ),
    "lsmtp": (
        "--> Error description:\nError-for:  jo@example.com\nError-Code: 3\n"
        "Error-Text: No such local user\nError-End:  1 error reported.\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "smail": (
        "|------------------------- Message log follows: -------------------------|\n no valid"
        " recipients were found for this message\n"
        "|------------------------- Failed addresses follow: ---------------------|\n"
        " <jo@example.com> ... unknown user\n"
        "|------------------------- Message text follows: ------------------------|\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "html only": (
        "The mail could not be delivered to: jo@example.com\n\n550 5.1.1 User unknown\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "spanish qmail": (
        "Su mensaje no pudo ser entregado. Your message could not be delivered.\n\n"
        "<jo@example.com>:\nThe user does not exist\n\n--- Mensaje original adjunto.\n",
        ["jo@example.com"],
        "address_unknown",
    ),
    "german": (
        "Ihre Nachricht konnte nicht zugestellt werden:\n\njo@example.com\n"
        "550 5.1.1 Benutzer nicht bekannt\n",
        ["jo@example.com"],
        "address_unknown",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_mail_system_is_understood(form: str) -> None:
    text, recipients, reason = FORMS[form]
    heards = parse_mail(bounce(text))
    assert [heard.recipient for heard in heards] == recipients
    assert all(heard.type is EventType.BOUNCED for heard in heards)
    assert read(heards[0]).reason == reason
