"""Postmark: the server API, the SMTP interface with X-PM headers, one webhook post an event."""

import secrets
from functools import partial
from typing import Any
from uuid import uuid4

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.postmark.api import Api
from postroom.simulator.faces.postmark.events import Webhook
from postroom.simulator.faces.postmark.settings import Settings
from postroom.simulator.faces.postmark.smtp import SmtpInterface


def open_face(name: str, settings: Settings) -> Face:
    """The face of such an account."""
    return Face(
        Webhook(name, settings.webhook_url, settings.server_id),
        partial(Api, name, settings),
        SmtpInterface(name, settings.server_token),
    )


def new() -> dict[str, Any]:
    """A server token and id, made up."""
    return {"server_token": str(uuid4()), "server_id": secrets.randbelow(10**7)}


PROVIDER = Provider(Settings, open_face, new)
