"""Mailjet, in both directions: the Send API v3.1 and SMTP out, the Event API in."""

from postroom.providers.mailjet.events import MailjetReceiver

__all__ = ["MailjetReceiver"]
