"""Mailtrap: webhooks in."""

from postroom.providers.mailtrap.events import MailtrapReceiver

__all__ = ["MailtrapReceiver"]
