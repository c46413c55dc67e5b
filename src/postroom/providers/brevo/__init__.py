"""Brevo, in both directions: the transactional API and SMTP out, webhooks in."""

from postroom.providers.brevo.account_api import BrevoAccountApi
from postroom.providers.brevo.carrier import BrevoCarrier
from postroom.providers.brevo.events import BrevoReceiver
from postroom.providers.brevo.history import BrevoHistory
from postroom.providers.brevo.smtp_road import STEERING, BrevoSmtpCarrier

__all__ = [
    "STEERING",
    "BrevoAccountApi",
    "BrevoCarrier",
    "BrevoHistory",
    "BrevoReceiver",
    "BrevoSmtpCarrier",
]
