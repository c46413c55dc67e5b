"""Amazon SES, in both directions."""

from postroom.providers.ses.account_api import SesAccountApi
from postroom.providers.ses.carrier import SesCarrier
from postroom.providers.ses.receiver import SesReceiver, follow_up
from postroom.providers.ses.smtp_road import STEERING, SesSmtpCarrier
from postroom.providers.ses.sqs import SqsPuller

__all__ = [
    "STEERING",
    "SesAccountApi",
    "SesCarrier",
    "SesReceiver",
    "SesSmtpCarrier",
    "SqsPuller",
    "follow_up",
]
