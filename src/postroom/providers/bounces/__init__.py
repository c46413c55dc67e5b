"""Mails that come back: bounces, abuse reports, automatic answers, and a person's replies."""

from postroom.providers.bounces.reading import is_personal, parse_mail
from postroom.providers.bounces.receiver import HANDOVER, RECIPIENT, BounceReceiver

__all__ = ["HANDOVER", "RECIPIENT", "BounceReceiver", "is_personal", "parse_mail"]
