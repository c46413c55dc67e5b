"""Postmark, in both directions: the email API and SMTP out, webhooks in."""

from postroom.providers.postmark.account_api import PostmarkAccountApi
from postroom.providers.postmark.carrier import PostmarkCarrier
from postroom.providers.postmark.events import PostmarkReceiver
from postroom.providers.postmark.history import PostmarkHistory
from postroom.providers.postmark.smtp_road import STEERING, PostmarkSmtpCarrier

__all__ = [
    "STEERING",
    "PostmarkAccountApi",
    "PostmarkCarrier",
    "PostmarkHistory",
    "PostmarkReceiver",
    "PostmarkSmtpCarrier",
]
