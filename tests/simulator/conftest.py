from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.rig import Receiver, Running, config

Start = Callable[..., Running]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def start(tmp_path: Path, receiver: Receiver) -> Iterator[Start]:
    """Starts simulators that end with the test."""
    running: list[Running] = []

    def begin(mischief: dict[str, Any] | None = None, **more: Any) -> Running:
        webhook_url = more.pop("webhook_url", receiver.url)
        running.append(Running(config(tmp_path, webhook_url, mischief, **more)))
        return running[-1]

    yield begin
    for each in running:
        each.close()


@pytest.fixture
def simulator(start: Start) -> Running:
    """One without mischief."""
    return start()
