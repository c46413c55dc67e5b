"""Submits as applications do: over HTTP with a bearer token, over SMTP with a login."""

import http.client
import json
import smtplib
from collections.abc import Iterable
from contextlib import closing
from email.message import EmailMessage
from http import HTTPStatus
from typing import Any

from django.conf import settings

from postroom.ledger.keys import NewKey
from postroom.management.commands.refusal import Refusal
from postroom.management.probes import reachable_host

_ANSWER_S_MAX = 60.0


def web_url() -> str:
    """Where this machine reaches the web role."""
    host = reachable_host(settings.POSTROOM_BIND)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{settings.POSTROOM_HTTP_PORT}"


def by_http(body: dict[str, Any], key: NewKey, idempotency_key: str) -> dict[str, Any]:
    """The answer to `POST /v1/messages`: by then the message is on disk."""
    headers = {
        "Authorization": f"Bearer {key.key}",
        "Content-Type": "application/json",
        "Idempotency-Key": idempotency_key,
    }
    host = reachable_host(settings.POSTROOM_BIND)
    door = http.client.HTTPConnection(host, settings.POSTROOM_HTTP_PORT, timeout=_ANSWER_S_MAX)
    with closing(door):
        door.request("POST", "/v1/messages", json.dumps(body), headers)
        answer = door.getresponse()
        said = answer.read()
    if answer.status != HTTPStatus.ACCEPTED:
        raise Refusal(_why_refused(answer.status, said))
    accepted: dict[str, Any] = json.loads(said)
    return accepted


def _why_refused(status: int, said: bytes) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return (
            f"{web_url()} does not know the key just made: another installation listens there."
            " Stop it, or set POSTROOM_HTTP_PORT and the other ports."
        )
    return f"{web_url()} answered {status}: {said.decode('utf-8', 'replace')}"


def by_smtp(mails: Iterable[EmailMessage], key: NewKey) -> int:
    """How many mails were accepted over one connection; each 250 means that it is on disk."""
    host = reachable_host(settings.POSTROOM_BIND)
    count = 0
    try:
        with smtplib.SMTP(host, settings.POSTROOM_SMTP_PORT, timeout=_ANSWER_S_MAX) as door:
            door.login(key.id, key.secret)
            for mail in mails:
                door.send_message(mail)
                count += 1
    except smtplib.SMTPException as error:
        raise Refusal(f"The SMTP door at {host}:{settings.POSTROOM_SMTP_PORT}: {error}") from None
    return count
