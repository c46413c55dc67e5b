"""Resend, in both directions: its API out, webhooks in."""

from postroom.providers.resend.account_api import ResendAccountApi
from postroom.providers.resend.carrier import ResendCarrier
from postroom.providers.resend.events import ResendReceiver
from postroom.providers.resend.look_up import ResendLookUp

__all__ = ["ResendAccountApi", "ResendCarrier", "ResendLookUp", "ResendReceiver"]
