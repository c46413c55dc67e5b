"""SendGrid, in both directions: the v3 Mail Send API out, the Event Webhook in."""

from postroom.providers.sendgrid.account_api import SendGridAccountApi
from postroom.providers.sendgrid.carrier import SendGridCarrier
from postroom.providers.sendgrid.events import SendGridReceiver
from postroom.providers.sendgrid.look_up import SendGridLookUp

__all__ = ["SendGridAccountApi", "SendGridCarrier", "SendGridLookUp", "SendGridReceiver"]
