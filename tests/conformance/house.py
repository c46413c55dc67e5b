"""A house with one provider account: real doors, ledger, sender, webhooks and interpreter."""

import json
import smtplib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from postroom.ledger import accounts, keys, receipts
from postroom.ledger.as_of import STATE_NOW
from postroom.ledger.blobs import decompress
from postroom.ledger.handovers import of_communication
from postroom.management.demo.truth import compare
from postroom.providers.base import Capabilities
from postroom.providers.registry import PROVIDERS
from postroom.simulator.truth import TakenCopy, Truth
from postroom.submission.smtp_listener import Listener
from tests.conformance.providers import account_settings, new_entry, webhook_url
from tests.conformance.seen import Digests, Seen
from tests.helpers import eventually, free_ports
from tests.sending.posting import rows
from tests.simulator.rig import Running, call, config
from tests.submission.door import serving

ACCOUNT = "main"
SENDER = "desk@company.example"
_SECONDS_MAX = 20.0
_CREDENTIALS = ("api_key", "api_secret", "secret_access_key", "server_token")
_numbers = count(1)


@dataclass(frozen=True)
class Delivery:
    """What the ledger says of one delivery."""

    recipient: str
    state: str
    reason: str | None
    text: str | None


@dataclass
class House:
    """Everything that one provider's tests need."""

    provider: str
    running: Running
    """The simulator."""
    digests: Digests
    key: keys.NewKey
    application_id: int
    web_port: int
    smtp_port: int
    webhook_path: str = field(repr=False)

    def post(self, recipients: Sequence[Any], **body: Any) -> "Mailing":
        """Submits by HTTP, one message for all."""
        mailing = Mailing(self, f"c{next(_numbers)}")
        described = {
            "from": SENDER,
            "to": list(recipients),
            "subject": "New prices",
            "text": "See the new prices.",
            "communication": mailing.name,
        }
        status, answer = self.call(
            "/v1/messages", json.dumps(described | body).encode(), self._auth
        )
        assert status == 202, answer
        return mailing

    def hand_in(self, recipients: Sequence[str], mail: bytes) -> "Mailing":
        """Submits by SMTP, as an application that knows nothing of Postroom but its name."""
        mailing = Mailing(self, f"c{next(_numbers)}")
        named = b"X-Postroom-Communication: %s\r\n" % mailing.name.encode() + mail
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=30) as client:
            client.login(self.key.id, self.key.secret)
            assert client.sendmail(SENDER, list(recipients), named) == {}
        return mailing

    def call(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of one POST to the web role."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}{path}", data=body, headers=dict(headers)
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def roads(self) -> list[Capabilities]:
        """What the provider's roads can do, the preferred one first."""
        return [road.make(1.0).capabilities for road in PROVIDERS[self.provider].roads]

    def takes_finished_mails(self) -> bool:
        """Whether one of the roads leaves a finished mail alone."""
        return any(road.raw_mime and road.custom_envelope for road in self.roads())

    def leaves_structure(self) -> bool:
        """Whether one of these leaves signatures and invitations alone as well."""
        return any(road.raw_mime and road.calendar_alternative for road in self.roads())

    @contextmanager
    def other_credentials(self) -> Iterator[None]:
        """The account has none that the provider knows, inside; it is in use again afterwards."""
        row = accounts.by_name(ACCOUNT)
        assert row is not None
        accounts.change(ACCOUNT, {n: _altered(n, value) for n, value in row.settings.items()})
        try:
            yield
        finally:
            accounts.change(ACCOUNT, row.settings)
            accounts.restart(row.id)

    def wait_until_quiet(self) -> None:
        """Until no notification is under way and every one that came was read."""
        eventually(lambda: not self._posts_waiting() and receipts.waiting() == 0, _SECONDS_MAX)

    def _posts_waiting(self) -> int:
        answer = call(f"{self.running.url}/_simulator/truth")
        waiting: int = answer.json["batches"]["waiting"]
        return waiting

    def bodies(self) -> list[bytes]:
        """Every notification that was believed, oldest first."""
        return [decompress(kept) for (kept,) in rows("SELECT zlib FROM receipt ORDER BY id")]

    def refused(self) -> int:
        """How many notifications were not believed."""
        found = rows("SELECT sum(count)::int FROM tally WHERE name = 'receipts_refused'")
        return found[0][0] or 0

    def is_stopped(self) -> bool:
        """Whether the account was taken out of use."""
        row = accounts.by_name(ACCOUNT)
        assert row is not None
        return row.stopped

    @property
    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key.key}", "Content-Type": "application/json"}


@dataclass
class Mailing:
    """One communication, from its submission to what became of it."""

    house: House
    name: str

    def deliveries(self) -> dict[str, Delivery]:
        """By recipient."""
        found = rows(
            f"SELECT recipient, {STATE_NOW}, reason, reason_text FROM delivery"
            "  JOIN communication ON communication.id = delivery.communication_id"
            " WHERE communication.name = %s",
            self.name,
        )
        return {one[0]: Delivery(*one) for one in found}

    def states(self) -> dict[str, str]:
        """By recipient."""
        return {one.recipient: one.state for one in self.deliveries().values()}

    def attempts(self) -> list[tuple[str, int, str]]:
        """(road, recipients, outcome), oldest first."""
        return rows(
            "SELECT road, recipients, outcome FROM attempt"
            " WHERE message_id = ANY(ARRAY(SELECT message.id FROM message"
            "   JOIN communication ON communication.id = message.communication_id"
            "  WHERE communication.name = %s)) ORDER BY begun_at, id",
            self.name,
        )

    def has_outcome(self, *outcomes: str) -> bool:
        """Whether some attempt has ended, in one of these ways if any are named."""
        ended = {outcome for _, _, outcome in self.attempts()} - {None}
        return bool(ended & set(outcomes) if outcomes else ended)

    def copies(self) -> dict[str, list[TakenCopy]]:
        """What the provider took, by recipient."""
        return self._copies(self.house.running.truth)

    def _copies(self, truth: Truth) -> dict[str, list[TakenCopy]]:
        taken, found = truth.by_handover(), {}
        for delivery in of_communication(self.house.application_id, self.name):
            found[delivery.recipient] = [
                copy for id in delivery.handovers for copy in taken.get(str(id), [])
            ]
        return found

    def raws(self, recipient: str) -> list[bytes]:
        """The finished mails that went to this recipient; there are no others."""
        seen = [self.house.digests[one.copy.digest].raw for one in self.copies()[recipient]]
        finished = [raw for raw in seen if raw is not None]
        assert len(finished) == len(seen)
        return finished

    def seen(self, recipient: str) -> Seen:
        """The only mail that this recipient got."""
        (taken,) = self.copies()[recipient]
        return self.house.digests[taken.copy.digest]

    def wait_until(self, *states: str) -> None:
        """Until every delivery is in one of these states."""
        eventually(lambda: set(self.states().values()) <= set(states), _SECONDS_MAX)

    def wait_until_told(self) -> None:
        """Until all has happened and been told, and the ledger says the same."""
        try:
            eventually(self.is_told, _SECONDS_MAX, every_s=0.05)
        except AssertionError as error:
            error.add_note("\n".join(self._differences(self.house.running.truth)))
            raise

    def is_told(self) -> bool:
        """Whether all has happened and been told, and the ledger says the same."""
        truth = self.house.running.truth
        copies = [copy for copies in self._copies(truth).values() for copy in copies]
        told = all(copy.complete and all(map(truth.told, copy.facts)) for copy in copies)
        return bool(copies) and told and not self._differences(truth)

    def _differences(self, truth: Truth) -> list[str]:
        return compare(of_communication(self.house.application_id, self.name), truth).differences


def _altered(name: str, value: str) -> str:
    """The setting, another one where it is a credential."""
    return value[::-1] if name in _CREDENTIALS else value


@contextmanager
def housed(provider: str, digests: Digests, directory: Path) -> Iterator[House]:
    """The house of one provider, inside; its database is this run's, and empty."""
    http_port, smtp_port = free_ports(2)
    base = f"http://127.0.0.1:{http_port}/{provider}"
    entry = new_entry(provider, base)
    secret = accounts.add(
        ACCOUNT, provider, True, account_settings(provider, entry, base, smtp_port)
    )
    key = keys.create_key("conformance", "test", ["send", "read"])
    caller = keys.login(key.id, key.secret)
    assert caller is not None
    path = f"/feedback/{ACCOUNT}/{secret}"
    with ExitStack() as stack:
        web_port = stack.enter_context(_web())
        entry["webhook_url"] = webhook_url(provider, web_port, path)
        running = Running(
            config(
                directory,
                None,
                http_port=http_port,
                smtp_port=smtp_port,
                faces={provider: entry},
                time_scale=0.05,
            )
        )
        stack.callback(running.close)
        door = stack.enter_context(serving(Listener("mail.company.example", relays=False)))
        stack.enter_context(_hearing())
        yield House(
            provider, running, digests, key, caller.application_id, web_port, door.port, path
        )


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing: tests look at what is stored."""


@contextmanager
def _web() -> Iterator[int]:
    """The web role's application on a port of its own, which is given."""
    from postroom.urls import application

    server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _hearing() -> Iterator[None]:
    """The interpreter, at work."""
    from postroom.feedback import interpreter

    stop = threading.Event()
    thread = threading.Thread(target=interpreter.serve, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
