"""Amazon SES: the API v2, the SMTP interface, and notifications by an SNS topic of its own."""

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from postroom.simulator.face import Face, Provider
from postroom.simulator.faces.ses.api import Api
from postroom.simulator.faces.ses.events import TopicTeller
from postroom.simulator.faces.ses.sets import Sets
from postroom.simulator.faces.ses.signature import Credentials
from postroom.simulator.faces.ses.smtp import SmtpInterface
from postroom.simulator.faces.ses.topic import Topic, new_key


@dataclass(frozen=True, slots=True)
class Settings:
    """What `simulator.json` says of such an account."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    """Calls are signed with it."""
    smtp_user: str
    smtp_password: str = field(repr=False)
    signing_private_key: str = field(repr=False)
    """PEM of an RSA key; the topic signs with it."""
    sns_endpoint: str
    """The address of `/<name>/sns` as the receiver reaches it: there it finds the certificate."""
    region: str = "eu-west-1"
    topic_arn: str = "arn:aws:sns:eu-west-1:123456789012:simulator"
    signature_version: str = "1"
    """Of the topic: 1 or 2."""
    webhook_url: str | None = None
    verified_domains: tuple[str, ...] | None = None
    """From domains of the account; None: every domain may send."""
    configuration_sets: tuple[str, ...] | None = None
    """Those there are; None: any."""
    tracking_sets: tuple[str, ...] = ()
    """Configuration sets that track opens and clicks."""


def open_face(name: str, settings: Settings) -> Face:
    """Raises ValueError when the signing key is none."""
    topic = Topic.of(
        settings.signing_private_key,
        settings.topic_arn,
        settings.sns_endpoint,
        settings.signature_version,
    )
    sets = Sets(settings.configuration_sets, settings.tracking_sets)
    keys = Credentials(settings.access_key_id, settings.secret_access_key, settings.region)
    return Face(
        TopicTeller(name, settings.webhook_url, topic, settings.region),
        partial(Api, name, keys, topic, sets, settings.verified_domains),
        SmtpInterface(name, settings.smtp_user, settings.smtp_password, settings.region, sets),
    )


def new() -> dict[str, Any]:
    """Credentials and a signing key, made up."""
    return {
        "access_key_id": f"AKIA{secrets.token_hex(8).upper()}",
        "secret_access_key": secrets.token_urlsafe(30),
        "smtp_user": f"AKIA{secrets.token_hex(8).upper()}",
        "smtp_password": secrets.token_urlsafe(33),
        "signing_private_key": new_key(),
    }


PROVIDER = Provider(Settings, open_face, new)
