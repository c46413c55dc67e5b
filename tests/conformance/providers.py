"""Which providers the suite is about, and how an account of each is set up at the simulator."""

from collections.abc import Callable, Mapping
from typing import Any

from postroom.providers.anymail.esps import ESPS
from postroom.providers.registry import PROVIDERS
from postroom.simulator.faces import new_face_config, provider_names
from postroom.simulator.faces.sendgrid.signing import Signer

Entry = dict[str, Any]
"""A face's entry in `simulator.json`."""

WEBHOOK_USER, WEBHOOK_PASSWORD = "teller", "s cret"
NATIVE = sorted(PROVIDERS.keys() - ESPS.keys() - {"smtp"})
"""Providers whose own interfaces we speak, both ways; a mere relay has none but SMTP."""
WITH_FACE = [name for name in NATIVE if name in provider_names()]
"""Those of them that the simulator can be: the suite is about each."""
STAMPED = frozenset({"mailgun"})
"""Those that sign a stamp and not the bytes: no login stands in their webhook's address either."""


def new_entry(provider: str, base: str) -> Entry:
    """A face of its own credentials; `base` is its address for clients."""
    more = {"sns_endpoint": f"{base}/sns"} if provider == "ses" else {}
    return new_face_config(provider, **more)


def webhook_url(provider: str, port: int, path: str) -> str:
    """Where this provider is told to post; with a login where it has no proof of its own."""
    login = "" if _has_key(provider) else f"{WEBHOOK_USER}:{WEBHOOK_PASSWORD.replace(' ', '%20')}@"
    return f"http://{login}127.0.0.1:{port}{path}"


def _has_key(provider: str) -> bool:
    """Whether notifications carry a proof that is made with a key."""
    receiver = PROVIDERS[provider].receiver
    assert receiver is not None
    return receiver.signed or provider in STAMPED


def account_settings(provider: str, entry: Entry, base: str, smtp_port: int) -> dict[str, str]:
    """What an operator would enter: the credentials by their own names, and where to connect."""
    own = {name: value for name, value in entry.items() if isinstance(value, str)}
    own.pop("signing_private_key", None)
    own |= {"endpoint": base}
    if not _has_key(provider):
        own |= {"webhook_user": WEBHOOK_USER, "webhook_password": WEBHOOK_PASSWORD}
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": str(smtp_port), "smtp_tls": "none"}
    return own | smtp | _MORE.get(provider, _nothing)(entry)


def _nothing(entry: Entry) -> dict[str, str]:
    del entry
    return {}


def _of_sendgrid(entry: Entry) -> dict[str, str]:
    public_key = Signer.from_pem(entry["signing_private_key"]).public_key()
    asking = {"logs_api_key": entry["api_key"]}
    return {"webhook_public_key": public_key} | asking | _login("apikey", entry["api_key"])


def _of_ses(entry: Entry) -> dict[str, str]:
    del entry
    topic = "arn:aws:sns:eu-west-1:123456789012:simulator"
    return {"region": "eu-west-1", "topic_arns": topic, "configuration_set": "plain"}


def _login(user: str, password: str) -> dict[str, str]:
    return {"smtp_user": user, "smtp_password": password}


_MORE: Mapping[str, Callable[[Entry], dict[str, str]]] = {
    "mailgun": lambda _entry: {"domain": "mg.company.example"},
    "mailjet": lambda entry: _login(entry["api_key"], entry["api_secret"]),
    "postmark": lambda entry: _login(entry["server_token"], entry["server_token"]),
    "sendgrid": _of_sendgrid,
    "ses": _of_ses,
    "sparkpost": lambda entry: _login("SMTP_Injection", entry["api_key"]),
}
"""What a provider's account has besides."""
