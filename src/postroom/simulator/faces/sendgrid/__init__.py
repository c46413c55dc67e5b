"""SendGrid: the v3 API, the SMTP interface with X-SMTPAPI, and the signed Event Webhook."""

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.sendgrid.api import Api
from postroom.simulator.faces.sendgrid.events import EventWebhook
from postroom.simulator.faces.sendgrid.signing import Signer
from postroom.simulator.faces.sendgrid.smtp import SmtpApi


@dataclass(frozen=True, slots=True)
class Settings:
    """What `simulator.json` says of such an account."""

    api_key: str = field(repr=False)
    """For HTTP (Bearer) and SMTP (password of user `apikey`)."""
    signing_private_key: str = field(repr=False)
    """PEM of a P-256 key; webhooks are signed with it."""
    webhook_url: str | None = None
    verified_domains: tuple[str, ...] | None = None
    """From domains of the account; None: every domain may send."""


def open_face(name: str, settings: Settings) -> Face:
    """Raises ValueError when the signing key is none."""
    signer = Signer.from_pem(settings.signing_private_key)
    return Face(
        EventWebhook(name, settings.webhook_url, signer),
        partial(Api, name, settings.api_key, settings.verified_domains),
        SmtpApi(name, settings.api_key),
    )


def new() -> dict[str, Any]:
    """A key and a signing key, made up."""
    return {
        "api_key": f"SG.simulator.{secrets.token_urlsafe(24)}",
        "signing_private_key": Signer.fresh().private_pem(),
    }


PROVIDER = Provider(Settings, open_face, new)
