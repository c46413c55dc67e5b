"""MailerSend: webhooks in."""

from postroom.providers.mailersend.events import MailerSendReceiver

__all__ = ["MailerSendReceiver"]
