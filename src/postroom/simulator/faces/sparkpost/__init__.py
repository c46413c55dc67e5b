"""SparkPost: transmissions with the template language, SMTP with X-MSYS-API, batched webhooks."""

import secrets
from functools import partial
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.sparkpost.api import Api
from postroom.simulator.faces.sparkpost.events import Webhook
from postroom.simulator.faces.sparkpost.settings import Settings
from postroom.simulator.faces.sparkpost.smtp import SmtpInterface


def open_face(name: str, settings: Settings) -> Face:
    """The face of such an account."""
    return Face(
        Webhook(name, settings), partial(Api, name, settings), SmtpInterface(name, settings.api_key)
    )


def new() -> dict[str, Any]:
    """An API key, made up."""
    return {"api_key": secrets.token_hex(20)}


PROVIDER = Provider(Settings, open_face, new)
