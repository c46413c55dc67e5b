"""Resend: one mail or a batch of up to 100, idempotency for a day, webhooks signed as Svix does."""

import secrets
from base64 import b64encode
from functools import partial
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.resend.api import Api
from postroom.simulator.faces.resend.events import Webhook
from postroom.simulator.faces.resend.settings import Settings


def open_face(name: str, settings: Settings) -> Face:
    """The face of such an account; raises ValueError for a signing secret that is none."""
    return Face(Webhook(name, settings), partial(Api, name, settings))


def new() -> dict[str, Any]:
    """An API key and a signing secret, made up."""
    return {
        "api_key": f"re_{secrets.token_urlsafe(24)}",
        "webhook_secret": f"whsec_{b64encode(secrets.token_bytes(24)).decode()}",
    }


PROVIDER = Provider(Settings, open_face, new)
