"""Mailjet: the Send API v3.1, SMTP with its headers, and the Event API, grouped or not."""

import secrets
from functools import partial
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.mailjet.api import Api
from postroom.simulator.faces.mailjet.events import Webhook
from postroom.simulator.faces.mailjet.settings import Settings
from postroom.simulator.faces.mailjet.smtp import SmtpInterface


def open_face(name: str, settings: Settings) -> Face:
    """The face of such an account."""
    return Face(
        Webhook(name, settings.webhook_url, settings.grouped),
        partial(Api, name, settings),
        SmtpInterface(name, settings),
    )


def new() -> dict[str, Any]:
    """The two keys, made up."""
    return {"api_key": secrets.token_hex(16), "api_secret": secrets.token_hex(16)}


PROVIDER = Provider(Settings, open_face, new)
