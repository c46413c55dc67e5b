"""One mail by django-anymail, as an application of a team makes it; runs where the peers do."""

import json
import os
from typing import Any

from django.core.mail import EmailMultiAlternatives

MAIL: dict[str, str] = json.loads(os.environ["PEER_MAIL"])
"""As `POST /v1/messages` takes it: `from`, `subject`, `text`, `html`."""

ANYMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"

SETTINGS: dict[str, Any] = {
    "ANYMAIL": {
        "SENDGRID_API_KEY": "none",
        "SENDGRID_API_URL": f"http://127.0.0.1:{os.environ['PEER_PROVIDER_PORT']}/v3/",
    },
    "USE_TZ": True,
}


def mail_to(recipient: str) -> EmailMultiAlternatives:
    """The mail to one person."""
    mail = EmailMultiAlternatives(MAIL["subject"], MAIL["text"], MAIL["from"], [recipient])
    mail.attach_alternative(MAIL["html"], "text/html")
    return mail
