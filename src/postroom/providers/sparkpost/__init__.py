"""SparkPost, in both directions: transmissions and SMTP out, webhooks in."""

from postroom.providers.sparkpost.events import SparkPostReceiver

__all__ = ["SparkPostReceiver"]
