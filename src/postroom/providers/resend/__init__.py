"""Resend, in both directions: its API and SMTP out, webhooks in."""

from postroom.providers.resend.events import ResendReceiver

__all__ = ["ResendReceiver"]
