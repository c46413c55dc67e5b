"""Mailgun, in both directions: the messages API and SMTP out, webhooks in."""

from postroom.providers.mailgun.receiver import MailgunReceiver

__all__ = ["MailgunReceiver"]
