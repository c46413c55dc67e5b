"""Single mails by hand: `postroom send`, and the scripts of `examples/single-mail`."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import eventually
from tests.installation import Installation, installed

SCRIPTS = Path(__file__).parents[2] / "examples" / "single-mail"

CASES = [
    (program, fate, answer)
    for needed, program, fate, answer in (
        ("curl", ["sh", "curl.sh"], "delivered", "delivered"),
        ("swaks", ["sh", "swaks.sh"], "full", "not_delivered"),
        (sys.executable, [sys.executable, "by_smtplib.py"], "ooto", "delivered"),
    )
    if shutil.which(needed)  # curl and swaks are no part of what the suite needs
]


@pytest.fixture(scope="module")
def one() -> Iterator[Installation]:
    """An installation that the tests of this file share."""
    with installed() as running:
        yield running


def test_a_mail_without_a_key_is_a_test_mail_of_the_sandbox(one: Installation) -> None:
    said = one.cli(*_words("--to", "delivered+a@sim.example", "--communication", "by-hand"))
    assert said.startswith("Message ")
    assert said.endswith(" to 1 recipient is on disk.\n")
    (found,) = _answered(one, "delivered+a@sim.example", "delivered")
    assert (found["application"], found["communication"]) == ("sandbox", "by-hand")
    assert found["simulated"] is True


def test_a_mail_with_a_key_belongs_to_its_application(one: Installation) -> None:
    recipients = ("--to", "delivered+b@sim.example", "--to", "delivered+c@sim.example")
    made = json.loads(one.cli(*_words(*recipients, "--key", one.key, "--json")))
    status, message = one.call("GET", f"/v1/messages/{made['message_id']}")
    assert (status, message["application"], message["recipients"]) == (200, "journey", 2)


def test_a_mail_that_cannot_be_accepted_is_refused_in_one_line(one: Installation) -> None:
    unknown = one.try_cli(*_words("--to", "a@sim.example", "--key", f"{one.key}0"))
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("postroom: The key is unknown")
    nobody = one.try_cli(*_words("--to", "nobody"))
    assert nobody.returncode == 1
    assert nobody.stderr.count("\n") == 1


@pytest.mark.parametrize(("program", "fate", "answer"), CASES)
def test_each_script_submits_one_mail(
    one: Installation, program: list[str], fate: str, answer: str
) -> None:
    recipient = f"{fate}+{program[-1].partition('.')[0]}@sim.example"
    done = subprocess.run(
        [*program, recipient],
        cwd=SCRIPTS,
        env={**one.environment, "KEY": one.key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = _answered(one, recipient, answer)
    assert found["communication"] == "by-hand"


def _words(*more: str) -> tuple[str, ...]:
    mail = ("--from", "prices@corp.example", "--subject", "By hand", "--text", "Hello.")
    return "send", *mail, *more


def _answered(one: Installation, recipient: str, answer: str) -> list[dict[str, Any]]:
    """The deliveries to the recipient, once the newest has this answer."""

    def found() -> list[dict[str, Any]] | None:
        rows: list[dict[str, Any]] = json.loads(one.cli("ask", recipient, "--json"))["items"]
        return rows if rows and rows[0]["answer"] == answer else None

    rows = eventually(found, within_s=30, every_s=0.2)
    assert rows is not None
    return rows
