"""SparkPost, in both directions: transmissions and SMTP out, webhooks in."""

from postroom.providers.sparkpost.account_api import SparkPostAccountApi
from postroom.providers.sparkpost.carrier import SparkPostCarrier, SparkPostMimeCarrier
from postroom.providers.sparkpost.events import SparkPostReceiver
from postroom.providers.sparkpost.history import SparkPostHistory
from postroom.providers.sparkpost.mime import STEERING, sparkpost_header

__all__ = [
    "STEERING",
    "SparkPostAccountApi",
    "SparkPostCarrier",
    "SparkPostHistory",
    "SparkPostMimeCarrier",
    "SparkPostReceiver",
    "sparkpost_header",
]
