"""Single urgent mails through the door, one by one: how long until each is handed over."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles

from bench.filling import SUBMISSION
from bench.rig import Rig
from bench.sink import Sink
from tests.helpers import eventually

_ARRIVES_S_MAX = 60.0


@dataclass
class UrgentMails:
    """When each urgent mail was accepted, by its address."""

    accepted: dict[str, float] = field(default_factory=dict)

    def waits_s(self, provider: Sink) -> list[float]:
        """Seconds of each mail from the 202 to the provider, once all have come."""
        return eventually(lambda: self._waits_s(provider), _ARRIVES_S_MAX, every_s=0.1)

    def _waits_s(self, provider: Sink) -> list[float]:
        """Empty as long as one is missing."""
        came = {call.addresses[0]: call.at for call in provider.look() if call.recipients == 1}
        if self.accepted.keys() - came.keys():
            return []
        # The call may arrive before the 202 was read.
        return [max(0.0, came[address] - at) for address, at in self.accepted.items()]


def p99(values: list[float]) -> float:
    """What 99 of 100 stay below; of fewer than 100 nearly the largest."""
    return quantiles(values, n=100, method="inclusive")[-1]


@contextmanager
def urgent_mails(rig: Rig, every_s: float) -> Iterator[UrgentMails]:
    """Send urgent mails to the web role, which runs, until the end of the block."""
    mails, stop, name = UrgentMails(), threading.Event(), f"u{time.monotonic_ns()}"

    def send() -> None:
        while not stop.wait(every_s):
            address = f"{name}-{len(mails.accepted)}@example.com"
            _send(rig, address)
            mails.accepted[address] = time.monotonic()

    thread = threading.Thread(target=send, name="urgent-mails")
    thread.start()
    try:
        yield mails
    finally:
        stop.set()
        thread.join()


def _send(rig: Rig, address: str) -> None:
    body = SUBMISSION | {"to": [{"email": address}], "lane": "urgent"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{rig.http_port}/v1/messages",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {rig.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
