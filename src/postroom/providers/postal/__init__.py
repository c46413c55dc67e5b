"""Postal: webhooks in."""

from postroom.providers.postal.events import PostalReceiver

__all__ = ["PostalReceiver"]
