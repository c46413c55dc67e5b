"""What a rehearsal needs: providers that can be made to fail, a sender, and a stream of mails."""

import asyncio
import http.client
import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

from postroom.ledger import accounts, keys
from postroom.ledger.keys import Caller
from postroom.management.first_start import new_signing_key
from postroom.simulator.config import Config
from postroom.simulator.server import Simulator
from postroom.simulator.truth import load

_START_S_MAX = 30.0
_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Provider:
    """A simulated provider with an account of that name."""

    name: str
    port: int
    api_key: str
    truth_log: Path

    def make_mischief(self, **settings: float) -> None:
        """Replace all mischief; without settings it does well."""
        headers = {
            "Authorization": f"Bearer {self.api_key}",
            "Content-Type": "application/json",
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as door:
            door.request("POST", "/_simulator/mischief", json.dumps(settings), headers)
            answer = door.getresponse()
            said = answer.read().decode("utf-8", "replace")
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"The provider {self.name} makes no mischief: {said}")

    def taken(self) -> Counter[str]:
        """Recipients by the provider's own log, with how often it took a mail to each."""
        return Counter(one.copy.recipient for one in load(self.truth_log).copies.values())


@contextmanager
def provider(name: str, directory: Path) -> Iterator[Provider]:
    """The provider runs inside, and the ledger has its account."""
    config = Config(
        api_key=f"SG.drill.{secrets.token_urlsafe(24)}",
        http_port=0,
        smtp_port=0,
        signing_private_key=new_signing_key(),
        truth_log=directory / f"truth-{name}.jsonl",
    )
    ready, stop = threading.Event(), threading.Event()
    simulator = Simulator(config)
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(simulator, ready, stop)), name=f"provider-{name}"
    )
    thread.start()
    try:
        if not ready.wait(_START_S_MAX):
            raise TimeoutError(f"The provider {name} did not start.")
        url = f"http://127.0.0.1:{simulator.http_port}"
        accounts.add(name, "sendgrid", True, {"endpoint": url, "api_key": config.api_key})
        yield Provider(name, simulator.http_port, config.api_key, config.truth_log)
    finally:
        stop.set()
        thread.join()


async def _serve(simulator: Simulator, ready: threading.Event, stop: threading.Event) -> None:
    await simulator.start()
    ready.set()
    await asyncio.to_thread(stop.wait)
    await simulator.close()


@contextmanager
def sender() -> Iterator[None]:
    """A sender runs inside."""
    from postroom.sending.sender import serve

    stop = threading.Event()
    thread = threading.Thread(target=partial(serve, stop), name="sender")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Stream:
    """Urgent mails, ten a second, each to somebody else, from a thread of its own."""

    def __init__(self) -> None:
        self.recipients: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream")

    @contextmanager
    def running(self) -> Iterator["Stream"]:
        """Mails come inside."""
        self._thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        """The last mail is on disk when this returns."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        caller = _caller()
        while not self._stop.wait(_EVERY_S):
            recipient = f"delivered+{len(self.recipients) + 1}@sim.example"
            _submit(recipient, caller)
            self.recipients.append(recipient)


def _caller() -> Caller:
    made = keys.create_key("drill", "test", ("send", "urgent"))
    caller = keys.login(made.id, made.secret)
    if caller is None:
        raise LookupError("The key of the drill is not known.")
    return caller


def _submit(recipient: str, caller: Caller) -> None:
    from postroom.submission.accept import accept
    from postroom.submission.message_body import read_submission

    body = {
        "from": "drill@corp.example",
        "to": [recipient],
        "subject": "A drill",
        "text": "Nobody gets this.",
        "lane": "urgent",
    }
    accept(read_submission(body, json.dumps(body).encode()), caller).result()
