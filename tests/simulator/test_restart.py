"""A killed simulator goes on where its truth log ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from postroom.simulator.config import Config, ConfigError
from postroom.simulator.journal import Journal
from postroom.simulator.server import Simulator
from postroom.simulator.truth import TruthUnreadable, load, set_aside_older
from tests.helpers import eventually, free_ports
from tests.simulator.conftest import Start
from tests.simulator.rig import API_KEY, Receiver, Running, call, config, mail, new_pem


class Process:
    """A simulator as a process of its own, to be killed."""

    def __init__(self, directory: Path, webhook_url: str) -> None:
        self.http_port, self.smtp_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.truth_log = directory / "truth.jsonl"
        self._file = directory / "simulator.json"
        settings = {
            "api_key": API_KEY,
            "http_port": self.http_port,
            "smtp_port": self.smtp_port,
            "webhook_url": webhook_url,
            "signing_private_key": new_pem(),
            "truth_log": str(self.truth_log),
            "seed": 1,
            "mischief": {},
            "time_scale": 0.2,
            "bind": "127.0.0.1",
        }
        self._file.write_text(json.dumps(settings))

    def start(self) -> None:
        command = [sys.executable, "-m", "postroom.simulator", "--config", str(self._file)]
        self.process = subprocess.Popen(command)
        eventually(self._is_up)

    def _is_up(self) -> bool:
        try:
            return call(f"{self.url}/_simulator/health").status == 200
        except OSError:
            return False

    def end(self, how: signal.Signals) -> int:
        os.kill(self.process.pid, how)
        return self.process.wait(10)


@pytest.fixture
def process(tmp_path: Path, receiver: Receiver) -> Process:
    return Process(tmp_path, receiver.url)


def test_webhooks_that_were_pending_at_a_kill_come_after_the_restart(
    process: Process, receiver: Receiver
) -> None:
    receiver.status = 503
    process.start()
    addresses = [f"{name}@sim.example" for name in ("delivered", "late-bounce", "defer")]
    assert call(f"{process.url}/v3/mail/send", mail(*addresses)).status == 202
    eventually(lambda: len(receiver.posts) > 0)
    assert process.end(signal.SIGKILL) == -signal.SIGKILL
    before = {event["sg_event_id"] for event in receiver.events()}
    receiver.posts.clear()
    receiver.status = 200
    process.start()
    eventually(lambda: load(process.truth_log).settled())
    assert process.end(signal.SIGTERM) == 0
    told = {address: receiver.events(address) for address in addresses}
    assert [event["event"] for event in told[addresses[0]]] == ["processed", "delivered"]
    assert told[addresses[1]][-1]["event"] == "bounce"
    assert told[addresses[2]][-1]["type"] == "blocked"
    ids = [event["sg_event_id"] for events in told.values() for event in events]
    assert before <= set(ids)
    assert len(ids) == len(set(ids))


def test_what_was_heard_before_a_kill_is_not_told_again(
    process: Process, receiver: Receiver
) -> None:
    process.start()
    call(f"{process.url}/v3/mail/send", mail("delivered@sim.example"))
    eventually(lambda: load(process.truth_log).settled() and len(receiver.events()) == 2)
    process.end(signal.SIGKILL)
    process.start()
    call(f"{process.url}/v3/mail/send", mail("suppressed@sim.example"))
    eventually(lambda: len(load(process.truth_log).copies) == 2)
    eventually(lambda: load(process.truth_log).settled())
    process.end(signal.SIGTERM)
    names = [event["event"] for event in receiver.events()]
    assert sorted(names) == ["delivered", "dropped", "processed"]


def test_every_answered_mail_is_in_the_truth_after_a_kill(
    process: Process, receiver: Receiver
) -> None:
    process.start()
    answered = [
        call(f"{process.url}/v3/mail/send", mail(f"delivered+{n}@sim.example")).headers
        for n in range(20)
    ]
    process.end(signal.SIGKILL)
    taken = {each.copy.message_id for each in load(process.truth_log).copies.values()}
    assert {headers["X-Message-Id"] for headers in answered} == taken


def test_a_line_that_a_crash_tore_is_cut_off(tmp_path: Path, receiver: Receiver) -> None:
    log = tmp_path / "truth.jsonl"
    whole = '{"kind": "heard", "batch": "b1"}\n'
    log.write_text(whole + '{"kind": "hea')
    assert load(log).heard == {"b1"}
    Journal(log)
    assert log.read_text() == whole


def test_a_log_of_one_torn_line_becomes_empty(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    log.write_text("x" * 200_000)
    Journal(log)
    assert log.read_text() == ""


@pytest.mark.parametrize("line", ["nonsense", '{"kind": "x"}', "[]", '{"kind": "fact"}'])
def test_a_strange_line_in_the_truth_log_is_named(tmp_path: Path, line: str) -> None:
    log = tmp_path / "truth.jsonl"
    log.write_text(f'{{"kind": "heard", "batch": "b1"}}\n{line}\n')
    with pytest.raises(TruthUnreadable, match="line 2"):
        load(log)


def test_a_truth_log_of_an_older_release_is_set_aside(tmp_path: Path) -> None:
    older = '{"kind": "taken", "copy": "m1.0", "handover": "h1", "steps": 2, "args": {}}\n'
    (tmp_path / "truth.jsonl").write_text(older)
    running = Running(config(tmp_path, None))
    assert running.truth.copies == {}
    running.close()
    assert (tmp_path / "truth.jsonl.older").read_text() == older


def test_a_truth_log_of_this_release_stays(start: Start) -> None:
    running = start()
    running.send(mail("delivered@sim.example"))
    running.close()
    assert set_aside_older(running.config.truth_log) is None
    assert len(running.truth.copies) == 1


def test_a_truth_log_of_a_face_that_is_gone_is_named(start: Start) -> None:
    running = start()
    running.send(mail("delivered@sim.example"))
    running.close()
    log = running.config.truth_log
    log.write_text(log.read_text().replace('"face": "sendgrid"', '"face": "gone"'))
    with pytest.raises(ConfigError, match="mail at gone"):
        asyncio.run(Simulator(running.config).start())


def test_a_configuration_that_cannot_be_used_is_one_line_and_status_1(tmp_path: Path) -> None:
    file = tmp_path / "simulator.json"
    file.write_text('{"api_key": "x", "earthquake": 1}')
    command = [sys.executable, "-m", "postroom.simulator", "--config", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert ended.returncode == 1
    assert ended.stderr == f"{file}: unknown settings earthquake\n"


def test_secrets_do_not_show_in_a_printed_configuration(tmp_path: Path) -> None:
    shown = repr(config(tmp_path, None))
    assert API_KEY not in shown
    assert "PRIVATE" not in shown
    assert isinstance(config(tmp_path, None), Config)
