"""A simulator on real sockets, and a receiver for its webhooks."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from postroom.simulator.config import Config
from postroom.simulator.faces.sendgrid.signing import SIGNATURE, TIMESTAMP, Signer
from postroom.simulator.mischief import Mischief
from postroom.simulator.server import Simulator
from postroom.simulator.truth import Truth, load
from tests.fake_smtp import FakeSmtp, fake_smtp

API_KEY = "SG.test.key"


def new_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(field, message) of each error in the vendor's shape."""
        for error in self.json["errors"]:
            assert set(error) == {"message", "field", "help"}
        return [(error["field"], error["message"]) for error in self.json["errors"]]


def call(
    url: str, body: object = None, headers: Mapping[str, str] | None = None, timeout_s: float = 20
) -> Answer:
    """One request; POST when there is a body. Bytes and text are sent as they are."""
    given = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(  # loopback
        url, None if body is None else data, {**given, **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # loopback
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


@dataclass
class Received:
    body: bytes
    headers: Mapping[str, str]

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)
        return found

    def is_signed_by(self, public_key: str) -> bool:
        """Whether the bytes are proved, by an implementation that is not the simulator's."""
        key = load_der_public_key(b64decode(public_key))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        proved = self.headers.get(TIMESTAMP, "").encode() + self.body
        signature = b64decode(self.headers.get(SIGNATURE, ""))
        try:
            key.verify(signature, proved, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


class Receiver:
    """Keeps every webhook and answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.posts: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append(Received(body, dict(self.headers)))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Nothing: tests look at `posts`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/feedback"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def events(self, recipient: str | None = None) -> list[dict[str, Any]]:
        """All readable events so far, in the order they came."""
        return [
            event
            for post in list(self.posts)
            for event in post.events
            if recipient in (None, event["email"])
        ]

    def forget(self) -> None:
        """What came so far."""
        self.posts.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


_DOORS = {503: "451 4.3.0 later", 500: "550 5.1.1 no such address"}


class MailReceiver:
    """Keeps every mail that comes back. Answers 250; 451 for status 503, 550 for 500."""

    def __init__(self) -> None:
        self.status = 204
        self._running = ExitStack()
        self._server = self._running.enter_context(fake_smtp(FakeSmtp(answer=self._answer)))
        self.url = f"smtp://127.0.0.1:{self._server.port}"

    def _answer(self, command: str, argument: str) -> str | None:
        del argument
        return _DOORS.get(self.status) if command == "DOT" else None

    @property
    def posts(self) -> list[Received]:
        """The mails so far, the envelope as their headers."""
        return [
            Received(mail.data, {"mail-from": mail.mail_from, "rcpt-to": mail.recipient})
            for mail in list(self._server.taken)
        ]

    def forget(self) -> None:
        """What came so far."""
        self._server.taken.clear()

    def close(self) -> None:
        self._running.close()


@dataclass
class Running:
    """A simulator in a thread of its own."""

    config: Config
    simulator: Simulator = field(init=False)

    def __post_init__(self) -> None:
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        self.simulator = Simulator(self.config)
        await self.simulator.start()
        self._ready.set()
        await asyncio.to_thread(self._stop.wait)
        await self.simulator.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.simulator.http_port}"

    @property
    def public_key(self) -> str:
        return Signer.from_pem(self.config.signing_private_key).public_key()

    @property
    def truth(self) -> Truth:
        return load(self.config.truth_log)

    def is_settled(self) -> bool:
        """Whether every timeline has ended and every batch is heard or lost."""
        return self.truth.settled()

    def send(
        self, body: object, headers: Mapping[str, str] | None = None, timeout_s: float = 20
    ) -> Answer:
        return call(f"{self.url}/v3/mail/send", body, headers, timeout_s)

    def make_mischief(self, **settings: object) -> None:
        answer = call(f"{self.url}/_simulator/mischief", settings)
        assert answer.status == 200, answer.body

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def config(
    tmp_path: Path, webhook_url: str | None, mischief: dict[str, Any] | None = None, **more: Any
) -> Config:
    """Ports of the machine's choice, a fresh key, time five times as fast."""
    return Config(
        **{
            "api_key": API_KEY,
            "http_port": 0,
            "smtp_port": 0,
            "signing_private_key": new_pem(),
            "truth_log": tmp_path / "truth.jsonl",
            "webhook_url": webhook_url,
            "time_scale": 0.2,
            "mischief": Mischief.read(mischief or {}),
            **more,
        }
    )


def mail(*recipients: str, **more: Any) -> dict[str, Any]:
    """A request with one personalization for each recipient."""
    return {
        "personalizations": [
            {"to": [{"email": recipient}], "custom_args": {"postroom_handover": f"h-{recipient}"}}
            for recipient in recipients
        ],
        "from": {"email": "desk@example.com", "name": "Service desk"},
        "subject": "Prices",
        "content": [
            {"type": "text/plain", "value": "New prices."},
            {
                "type": "text/html",
                "value": '<p>New <a href="https://example.com/p">prices</a>.</p>',
            },
        ],
        **more,
    }
