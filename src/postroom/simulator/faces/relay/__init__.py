"""Any SMTP relay: tells by mail to the envelope sender what became of a mail, if at all."""

import secrets
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.relay.reports import Reporter
from postroom.simulator.faces.relay.settings import Settings
from postroom.simulator.faces.relay.smtp import Relay


def open_face(name: str, settings: Settings) -> Face:
    """The face of such a relay."""
    return Face(Reporter(name, settings.webhook_url), smtp=Relay(name, settings))


def new() -> dict[str, Any]:
    """Credentials, made up."""
    return {"smtp_user": f"relay-{secrets.token_hex(3)}", "smtp_password": secrets.token_hex(16)}


PROVIDER = Provider(Settings, open_face, new)
