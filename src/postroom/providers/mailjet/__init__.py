"""Mailjet, in both directions: the Send API v3.1 and SMTP out, the Event API in."""

from postroom.providers.mailjet.account_api import MailjetAccountApi
from postroom.providers.mailjet.carrier import MailjetCarrier
from postroom.providers.mailjet.events import MailjetReceiver
from postroom.providers.mailjet.smtp_road import STEERING, MailjetSmtpCarrier

__all__ = [
    "STEERING",
    "MailjetAccountApi",
    "MailjetCarrier",
    "MailjetReceiver",
    "MailjetSmtpCarrier",
]
