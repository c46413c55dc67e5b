"""Clients as they should be: they submit the same mail again until somebody acknowledges it."""

import http.client
import smtplib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import loads
from uuid import UUID

from tests.faults.mails import Mail
from tests.installation import Installation

_CLIENTS = 8
_PAUSE_S = 0.3
ANSWER_S_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A mail for which a client saw 202 or 250."""

    mail: Mail
    message_id: UUID
    begun_at: datetime
    """When it was first submitted."""
    ended_at: datetime
    """When it was acknowledged."""
    tries: int


class NotNow(Exception):
    """The door was shut, or said later with this status or reply: the client comes again."""


class Strange(Exception):
    """An answer that no fault explains."""


@dataclass
class Clients:
    """Submits all mails of a run, spread over some time."""

    installation: Installation
    key: str
    login: tuple[str, str]
    acknowledged: list[Acknowledged] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    """Answers that no fault explains, and mails that were never acknowledged."""
    closing: threading.Event = field(default_factory=threading.Event)
    """Set to let clients give up."""

    def submit(self, mails: Sequence[Mail], over_s: float) -> None:
        """Returns when every mail is acknowledged, or when `closing` was set."""
        began = time.monotonic()
        pace_s = over_s / len(mails)
        with ThreadPoolExecutor(_CLIENTS, "client") as pool:
            lanes = [
                pool.submit(self._work, list(enumerate(mails))[lane::_CLIENTS], began, pace_s)
                for lane in range(_CLIENTS)
            ]
        for lane in lanes:
            lane.result()

    def _work(self, mails: Sequence[tuple[int, Mail]], began: float, pace_s: float) -> None:
        for number, mail in mails:
            self.closing.wait(max(0.0, began + number * pace_s - time.monotonic()))
            self.submit_one(mail)

    def submit_one(self, mail: Mail) -> None:
        """Returns when it is acknowledged or never will be, or when `closing` was set."""
        begun_at, tries = datetime.now(UTC), 0
        while not self.closing.is_set():
            tries += 1
            try:
                message_id = self.try_once(mail)
            except NotNow:
                self.closing.wait(_PAUSE_S)
            except Strange as answer:
                self.strange.append(f"{mail.id} by {mail.door}: {answer}")
                return
            else:
                now = datetime.now(UTC)
                self.acknowledged.append(Acknowledged(mail, message_id, begun_at, now, tries))
                return
        self.strange.append(f"{mail.id} by {mail.door}: never acknowledged in {tries} tries")

    def try_once(self, mail: Mail) -> UUID:
        """The message id, once it is accepted by its door; raises NotNow or Strange."""
        return self.ask_to_take(mail) if mail.door == "http" else self._by_smtp(mail)

    def ask_to_take(self, mail: Mail) -> UUID:
        """The message id, once it is accepted by HTTP; raises NotNow or Strange."""
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": mail.id,
        }
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.installation.http_port, timeout=ANSWER_S_MAX
        )
        try:
            connection.request("POST", "/v1/messages", mail.raw, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotNow from error
        finally:
            connection.close()
        if answer.status == 503:
            raise NotNow(503)
        if answer.status != 202:
            raise Strange(f"{answer.status} {body[:300]!r}")
        return UUID(loads(body)["message_id"])

    def _by_smtp(self, mail: Mail) -> UUID:
        try:
            with smtplib.SMTP(
                "127.0.0.1", self.installation.smtp_port, timeout=ANSWER_S_MAX
            ) as client:
                client.login(*self.login)
                return transaction(client, mail)
        except smtplib.SMTPResponseException as answer:
            raise _of_reply(answer.smtp_code, answer.smtp_error) from answer
        except (OSError, smtplib.SMTPException) as error:
            raise NotNow from error


def transaction(client: smtplib.SMTP, mail: Mail) -> UUID:
    """The message id that the reply to DATA names; smtplib's `sendmail` keeps it to itself.

    Raises NotNow, Strange, or what smtplib raises.
    """
    _demand(*client.rset())
    _demand(*client.mail("notices@company.example"))
    for recipient in mail.recipients:
        _demand(*client.rcpt(recipient))
    code, text = client.data(mail.raw)
    _demand(code, text)
    return UUID(text.decode().rsplit(maxsplit=1)[1])


def _demand(code: int, text: bytes) -> None:
    if code != 250:
        raise _of_reply(code, text)


def _of_reply(code: int, text: bytes | str) -> Exception:
    return NotNow(code) if 400 <= code < 500 else Strange(f"{code} {text!r}")
