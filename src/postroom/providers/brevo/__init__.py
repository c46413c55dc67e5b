"""Brevo, in both directions: the transactional API and SMTP out, webhooks in."""

from postroom.providers.brevo.events import BrevoReceiver

__all__ = ["BrevoReceiver"]
