"""What an installation gets once, so that it can be tried at once: a sandbox and a simulator."""

import base64
import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from postroom.ledger import accounts, keys

ACCOUNT = "simulator"


def make_sandbox() -> keys.NewKey | None:
    """A test key of the new application `sandbox`; None where there is any application already."""
    from postroom.ledger.models import Application

    if Application.objects.exists():
        return None
    return keys.create_key("sandbox", "test", keys.SCOPES)


def settle_simulator() -> bool:
    """Whether the simulator runs here; its account and its file agree with the settings now.

    `simulator.json` may hold some entries before (seed, mischief, time_scale ...): they stay.
    Another machine of the same database has the account but not the file, and no simulator.
    """
    file = settings.POSTROOM_DATA / "simulator.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    account = accounts.by_name(ACCOUNT)
    if account is not None and "webhook_url" not in before:
        return False
    config = _filled(before)
    if account is None:
        secret = accounts.add(ACCOUNT, "sendgrid", True, _account_settings(config))
        config["webhook_url"] = f"/feedback/{ACCOUNT}/{secret}"
    elif account.settings != _account_settings(config):
        accounts.change(ACCOUNT, _account_settings(config))
    path = config["webhook_url"][config["webhook_url"].index("/feedback/") :]
    config["webhook_url"] = f"http://127.0.0.1:{settings.POSTROOM_HTTP_PORT}{path}"
    if config != before:
        _write(file, config)
    return True


def _filled(before: dict[str, Any]) -> dict[str, Any]:
    once = {
        "api_key": before.get("api_key") or f"SG.simulator.{secrets.token_urlsafe(24)}",
        "smtp_port": before.get("smtp_port") or _free_port(),
        "signing_private_key": before.get("signing_private_key") or new_signing_key(),
    }
    usual = {
        "truth_log": str(settings.POSTROOM_DATA / "truth.jsonl"),
        "seed": 1,
        "mischief": {},
        "time_scale": 1.0,
        "bind": "127.0.0.1",
    }
    return usual | before | once | {"http_port": settings.POSTROOM_SIMULATOR_PORT}


def _account_settings(config: dict[str, Any]) -> dict[str, str]:
    return {
        "endpoint": f"http://127.0.0.1:{config['http_port']}",
        "api_key": config["api_key"],
        "webhook_public_key": _public_key(config["signing_private_key"]),
        "smtp_host": "127.0.0.1",
        "smtp_port": str(config["smtp_port"]),
        "smtp_user": "apikey",
        "smtp_password": config["api_key"],
        "smtp_tls": "none",
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def new_signing_key() -> str:
    """The PEM of a fresh P-256 key, as the simulator signs with."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode("ascii")
    )


def _public_key(private_pem: str) -> str:
    """The verification key as the provider shows it: the base64 of its DER."""
    key = serialization.load_pem_private_key(private_pem.encode("ascii"), password=None)
    return base64.b64encode(
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode("ascii")


def _write(file: Path, config: dict[str, Any]) -> None:
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(config, stream, indent=2)
    draft.replace(file)
