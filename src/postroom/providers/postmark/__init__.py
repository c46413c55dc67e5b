"""Postmark, in both directions: the email API and SMTP out, webhooks in."""

from postroom.providers.postmark.events import PostmarkReceiver

__all__ = ["PostmarkReceiver"]
