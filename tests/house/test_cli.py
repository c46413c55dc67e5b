"""The command: one line for expected trouble, JSON for programs, no secrets shown twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom import __version__
from postroom.cli import COMMANDS
from tests.helpers import eventually
from tests.installation import Installation, installed

SCOPES = ("--scope", "send", "--scope", "read")


@pytest.fixture(scope="module")
def one() -> Iterator[Installation]:
    """An installation that the tests of this file share."""
    with installed() as running:
        yield running


def test_a_new_key_is_printed_once_with_what_smtp_needs(one: Installation) -> None:
    made = json.loads(one.cli("key", "create", "crm", "--kind", "test", *SCOPES, "--json"))
    assert made.keys() == {"id", "secret", "key"}
    assert made["key"] == f"postroom_test_{made['id']}_{made['secret']}"
    assert made["secret"] not in one.cli("key", "list", "--json")


def test_a_revoked_key_is_refused(one: Installation) -> None:
    made = json.loads(one.cli("key", "create", "crm", "--kind", "test", *SCOPES, "--json"))
    headers = {"Authorization": f"Bearer {made['key']}"}
    one.cli("key", "revoke", made["id"])
    assert one.call("GET", "/v1/communications", headers=headers)[0] == 401


def test_a_live_key_without_a_from_domain_is_refused_in_one_line(one: Installation) -> None:
    refused = one.try_cli("key", "create", "crm", "--kind", "live", *SCOPES)
    assert refused.returncode == 1
    assert refused.stderr == "postroom: a live key needs at least one allowed From domain\n"


def test_an_application_and_its_network_are_listed(one: Installation) -> None:
    one.cli("app", "add", "erp", "--from-domain", "example.com", "--join-repeats")
    one.cli("app", "network", "add", "erp", "10.20.0.0/16")
    listed = {row["name"]: row for row in json.loads(one.cli("app", "list", "--json"))}
    assert listed["erp"]["from_domains"] == ["example.com"]
    assert listed["erp"]["join_repeats"] is True
    again = one.try_cli("app", "network", "add", "erp", "10.20.0.0/16")
    assert again.returncode == 1
    assert "already belongs" in again.stderr


def test_an_account_shows_the_names_of_its_settings_only(one: Installation, data: Path) -> None:
    (data / "key").write_text("SG.very-secret\n")
    made = one.cli(
        "account", "add", "main", "--provider", "sendgrid", "--set", f"api_key=@{data / 'key'}"
    )
    assert f"{one.environment['POSTROOM_HTTP_PORT']}/feedback/main/" in made
    listed = one.cli("account", "list", "--json")
    assert {"name": "main", "settings": ["api_key"]}.items() <= json.loads(listed)[-1].items()
    assert "very-secret" not in listed
    assert one.cli("account", "stop", "main") == "main is stopped.\n"
    assert one.cli("account", "restart", "main") == "main is used again.\n"


def test_a_suppression_stands_until_it_is_lifted(one: Installation) -> None:
    person = ("Someone@Example.com", "--why", "asked by telephone")
    made = json.loads(one.cli("suppress", "add", *person, "--json"))
    assert made["address"] == "someone@example.com"
    assert "Not sent because of it: 0" in one.cli("suppress", "show", person[0])
    one.cli("suppress", "lift", *person)
    again = one.try_cli("suppress", "lift", *person)
    assert again.stderr == "postroom: someone@example.com is not suppressed.\n"


def test_a_list_of_suppressions_goes_in_and_out_as_csv(one: Installation, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("address,reason\nann@example.net,complained_before\nnobody,asked\n")
    done = one.try_cli("suppress", "import", str(file), "--json")
    assert (done.returncode, json.loads(done.stdout)["added"]) == (1, 1)
    assert done.stderr.startswith("line 3: ")
    assert "ann@example.net,complained_before," in one.cli("suppress", "export")


def test_a_mail_sent_from_the_command_line_is_known_to_ask_and_verify(one: Installation) -> None:
    mail = ("--from", "office@example.com", "--subject", "Hello", "--text", "Hello")
    one.cli("send", "--key", one.key, *mail, "--to", "delivered@sim.example", "--lane", "urgent")
    eventually(lambda: _answer(one, "delivered@sim.example") == "delivered", within_s=60)
    verified = json.loads(one.cli("verify", "--json"))
    assert verified == {"deliveries": 1, "messages": 1, "discrepancies": []}


def _answer(one: Installation, recipient: str) -> object:
    return one.call("GET", f"/v1/deliveries?recipient={recipient}")[1]["items"][0]["answer"]


def test_a_mail_that_is_refused_says_why_in_one_line(one: Installation) -> None:
    mail = ("--from", "nobody", "--to", "a@example.com", "--subject", "Hello", "--text", "Hello")
    refused = one.try_cli("send", "--key", one.key, *mail)
    assert refused.returncode == 1
    assert refused.stderr.startswith("postroom: ")
    assert refused.stderr.count("\n") == 1


def test_the_doctor_finds_nothing_missing_while_all_runs(one: Installation) -> None:
    examined = one.try_cli("doctor", "--json")
    missing = [finding for finding in json.loads(examined.stdout) if finding["level"] == "missing"]
    assert missing == []
    assert examined.returncode == 0


def test_the_doctor_names_what_is_missing(data: Path) -> None:
    examined = _alone("doctor", data, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert examined.returncode == 1
    assert "missing  database    DATABASE_URL: " in examined.stdout
    assert "missing  web         Nobody answers at 127.0.0.1:8025" in examined.stdout


@pytest.mark.parametrize("command", ["key list", "verify", "up", "run clock", "migrate"])
def test_an_unreachable_database_is_one_line_and_no_traceback(command: str, data: Path) -> None:
    failed = _alone(command, data, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert failed.returncode == 1
    assert failed.stderr.startswith("postroom: The database does not answer: ")
    assert "Traceback" not in failed.stderr


def test_a_setting_that_cannot_be_used_is_one_line(data: Path) -> None:
    failed = _alone("key list", data, POSTROOM_SMTP_PORT="99999")
    assert failed.returncode == 1
    assert failed.stderr == (
        "postroom: POSTROOM_SMTP_PORT='99999' cannot be used: a port is at most 65535.\n"
    )


def test_a_command_alone_starts_the_database_and_lets_it_go(data: Path) -> None:
    made = _alone("key create crm --kind test --scope send --json", data)
    assert made.returncode == 0, made.stderr
    assert json.loads(_alone("key list --json", data).stdout)[0]["application"] == "crm"


def test_decoding_needs_no_database_and_leaves_nothing(data: Path) -> None:
    decoded = _alone("decode sendgrid /dev/null", data, POSTROOM_DATA=str(data / "none"))
    assert decoded.returncode == 1
    assert not (data / "none").exists()


def test_help_names_every_command() -> None:
    said = _alone("--help", Path("/nonexistent")).stdout
    assert all(f"\n    {name} " in said for name in COMMANDS)
    assert _alone("--version", Path("/nonexistent")).stdout == f"postroom {__version__}\n"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str, data: Path) -> None:
    said = _alone(f"{name} --help", data, DATABASE_URL="postgresql:///none")
    assert said.returncode == 0, said.stderr
    assert COMMANDS[name].summary in " ".join(said.stdout.split())


def test_misuse_is_status_2() -> None:
    assert _alone("no-such-command", Path("/nonexistent")).returncode == 2


def _alone(words: str, data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command where nothing else runs."""
    return subprocess.run(
        [sys.executable, "-m", "postroom.cli", *words.split()],
        env={"PATH": os.environ["PATH"], "POSTROOM_DATA": str(data), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
