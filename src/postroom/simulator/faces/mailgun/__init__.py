"""Mailgun: messages by form or as MIME, SMTP with X-Mailgun headers, one signed post an event."""

import secrets
from functools import partial
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.mailgun.api import Api
from postroom.simulator.faces.mailgun.events import Webhook
from postroom.simulator.faces.mailgun.settings import Settings
from postroom.simulator.faces.mailgun.smtp import SmtpInterface


def open_face(name: str, settings: Settings) -> Face:
    """The face of such an account."""
    return Face(
        Webhook(name, settings.webhook_url, settings.webhook_signing_key),
        partial(Api, name, settings),
        SmtpInterface(name, settings),
    )


def new() -> dict[str, Any]:
    """Keys and SMTP credentials, made up."""
    return {
        "api_key": f"key-{secrets.token_hex(16)}",
        "webhook_signing_key": secrets.token_hex(16),
        "smtp_user": "postmaster@mg.sim.example",
        "smtp_password": secrets.token_urlsafe(24),
    }


PROVIDER = Provider(Settings, open_face, new)
