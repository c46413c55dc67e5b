"""Mailgun, in both directions: the messages API and SMTP out, webhooks in."""

from postroom.providers.mailgun.account_api import MailgunAccountApi
from postroom.providers.mailgun.carrier import MailgunCarrier, MailgunMimeCarrier
from postroom.providers.mailgun.history import MailgunHistory
from postroom.providers.mailgun.mime import STEERING, mailgun_header
from postroom.providers.mailgun.receiver import MailgunReceiver

__all__ = [
    "STEERING",
    "MailgunAccountApi",
    "MailgunCarrier",
    "MailgunHistory",
    "MailgunMimeCarrier",
    "MailgunReceiver",
    "mailgun_header",
]
