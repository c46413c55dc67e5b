"""Brevo: the transactional API with versions and idempotency, SMTP, webhooks batched or not."""

import secrets
from functools import partial
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.brevo.api import Api
from postroom.simulator.faces.brevo.events import Webhook
from postroom.simulator.faces.brevo.settings import Settings
from postroom.simulator.faces.brevo.smtp import SmtpInterface


def open_face(name: str, settings: Settings) -> Face:
    """The face of such an account."""
    return Face(
        Webhook(name, settings), partial(Api, name, settings), SmtpInterface(name, settings)
    )


def new() -> dict[str, Any]:
    """Keys and SMTP credentials, made up."""
    return {
        "api_key": f"xkeysib-{secrets.token_hex(32)}-{secrets.token_hex(8)}",
        "smtp_user": f"{secrets.token_hex(3)}@smtp-brevo.example",
        "smtp_password": secrets.token_urlsafe(24),
    }


PROVIDER = Provider(Settings, open_face, new)
