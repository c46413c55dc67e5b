"""What commands print: sentences and tables for people, and for programs JSON wherever they ask."""

import json
import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import override_settings

from postroom import cli
from postroom.providers.registry import PROVIDERS
from tests.ledger import making

GO_ON = {"up", "run", "demo"}
"""They tell a person what goes on until they are stopped, and have no answer to give."""

WALK = (
    "migrate",
    "app add erp --from-domain corp.example --join-repeats",
    "app list",
    "app network add erp 10.20.0.0/16",
    "app network list",
    "app network remove 10.20.0.0/16",
    "key create erp --kind test --scope send",
    "key list",
    "key revoke {id}",
    "account add main --provider postmark --set server_token=x --set endpoint=http://127.0.0.1:1",
    "account set main server_token=y",
    "account renew-webhook main",
    "account test main",
    "domain add corp.example",
    "domain check corp.example",
    "domain vouch corp.example --account main",
    "domain list",
    "domain forget corp.example --account main",
    "route add main=1 --lane bulk --application erp --recipient-domain .corp.example",
    "route list",
    "route remove {route}",
    "account list",
    "account stop main",
    "account restart main",
    "send --from a@corp.example --to b@sim.example --subject S --text T --communication walk",
    "ask b@sim.example",
    "report walk",
    "message hold sandbox walk",
    "message release sandbox walk",
    "message cancel sandbox walk",
    "pause sandbox walk",
    "resume sandbox walk",
    "pause erp",
    "resume erp",
    "guard list",
    "guard import-postmaster {figures}",
    "suppress add b@sim.example --why asked",
    "suppress show b@sim.example",
    "suppress list",
    "suppress export",
    "suppress lift b@sim.example --why asked",
    "suppress undo --domain sim.example --from 2026-11-24 --to 2026-11-25 --reason broken",
    "suppress try --domain sim.example",
    "replay",
    "top",
    "verify",
    "doctor",
    "decode sendgrid {events}",
    "dsn {mail}",
)
"""In an order in which each finds what it needs."""

MAY_MISS_SOMETHING = ("doctor", "account test", "domain add", "domain check")

EVENTS = (
    '[{"event": "delivered", "email": "a@example.com", "timestamp": 1795514400,'
    ' "sg_event_id": "e", "sg_message_id": "m.1"}]'
)
MAIL = """\
From: MAILER-DAEMON@example.com
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; a@example.com
Action: failed
Status: 5.1.1

--b--
"""
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@override_settings(POSTROOM_DNS="off")
def test_what_is_printed_with_json_is_json_and_its_times_are_utc(
    ledger: None, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "events").write_text(EVENTS)
    (data / "mail").write_text(MAIL)
    (data / "figures").write_text("Date,Domain,Spam rate\n2026-11-23,example.com,0.1%\n")
    known: dict[str, object] = {name: data / name for name in ("events", "mail", "figures")}
    for line in WALK:
        status = cli.main([*line.format_map(known).split(), "--json"])
        printed = capsys.readouterr().out
        assert printed.count("\n") == 1, line
        assert status == 0 or line.startswith(MAY_MISS_SOMETHING), line
        answer = json.loads(printed)
        _assert_instants_in_utc(answer)
        known |= answer if isinstance(answer, dict) else {}


def _assert_instants_in_utc(value: object) -> None:
    if isinstance(value, list):
        for item in value:
            _assert_instants_in_utc(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "as_of" or name.endswith("_at"):
                assert item is None or INSTANT.fullmatch(item), f"{name}: {item}"
            _assert_instants_in_utc(item)


def test_every_command_that_has_an_answer_takes_json() -> None:
    without = [
        " ".join(path)
        for path, parser in _leaves()
        if path[0] not in GO_ON and "--json" not in parser.format_help()
    ]
    assert without == []


def _leaves() -> Iterator[tuple[list[str], ArgumentParser]]:
    """The words of every command that does something, and what parses the rest."""
    for command in cli.COMMANDS.values():
        parser = ArgumentParser()
        command.module().arrange(parser)
        yield from _leaves_of([command.name], parser)


def _leaves_of(
    path: list[str], parser: ArgumentParser
) -> Iterator[tuple[list[str], ArgumentParser]]:
    inner = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    if not inner:
        yield path, parser
    for action in inner:
        for name, one in action.choices.items():
            yield from _leaves_of([*path, name], one)


def test_what_an_application_was_given_can_be_taken_away_again(
    ledger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, standing in (
        (["--join-repeats", "--refuse-suppressed"], (True, True)),
        ([], (True, True)),
        (["--no-join-repeats"], (False, True)),
        (["--no-refuse-suppressed"], (False, False)),
    ):
        cli.main(["app", "add", "erp", *given, "--json"])
        printed = json.loads(capsys.readouterr().out)
        assert (printed["join_repeats"], printed["refuse_suppressed"]) == standing


def test_limits_of_an_application_are_given_shown_and_taken_away(
    ledger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = ("recipients_per_s", "recipients_per_day", "urgent_per_day", "relay_urgent")
    for given, standing in (
        ([], (None, None, 10_000, False)),
        (["--recipients-per-s", "5", "--recipients-per-day=90000"], (5, 90_000, 10_000, False)),
        (["--urgent-per-day", "0", "--relay-urgent"], (5, 90_000, 0, True)),
        (["--recipients-per-s", "none", "--no-relay-urgent"], (None, 90_000, 0, False)),
        (["--recipients-per-day=none", "--urgent-per-day=default"], (None, None, 10_000, False)),
    ):
        cli.main(["app", "add", "erp", *given, "--json"])
        cli.main(["app", "list", "--json"])
        added, listed = map(json.loads, capsys.readouterr().out.splitlines())
        assert tuple(added[name] for name in limits) == standing
        assert [added] == [listed[0] | {"made": added["made"]}]
        assert (listed[0]["urgent_today"], listed[0]["paused_at"]) == (0, None)


@pytest.mark.parametrize(
    "given",
    [
        "--recipients-per-s=0",
        "--recipients-per-s=\u0661",
        "--recipients-per-day=-1",
        "--recipients-per-day=99999999999",
        "--urgent-per-day=x",
        "--urgent-per-day=none",
    ],
)
def test_a_limit_that_is_none_is_misuse(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["app", "add", "erp", given])
    assert ended.value.code == 2
    assert "is neither a number from" in capsys.readouterr().err


def test_a_pause_is_told_and_seen_until_it_ends(
    ledger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["app", "add", "erp"])
    for command in ("pause", "pause", "resume", "resume"):
        assert cli.main([command, "erp"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "erp is paused: nothing more is handed over.",
        "erp was paused already.",
        "erp goes on.",
        "erp was not paused.",
    ]
    assert cli.main(["pause", "erp", "news"]) == 1
    assert cli.main(["resume", "crm"]) == 1
    assert capsys.readouterr().err == (
        "postroom: There is no communication news of erp.\n"
        "postroom: There is no application crm; see `postroom app list`.\n"
    )


def test_all_messages_of_a_communication_are_held_let_go_and_withdrawn(
    ledger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    app = making.application("erp")
    people = ("a@b.example", "c@b.example")
    first = making.accept(making.new_message(app, people, communication="news"))
    making.accept(making.new_message(app, communication="news"))
    for subject in (["erp", "news"], [str(first.message_id)]):
        for action in ("hold", "release"):
            assert cli.main(["message", action, *subject]) == 0
    assert cli.main(["message", "cancel", "erp", "news"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "3 deliveries of 2 messages are held.",
        "3 deliveries of 2 messages are released.",
        "2 deliveries of 1 message are held.",
        "2 deliveries of 1 message are released.",
        "3 deliveries of 2 messages are cancelled.",
    ]


def test_what_is_no_message_is_told_so(ledger: None, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = uuid4()
    for subject in (["news"], [str(unknown)], ["erp", "news"], ["erp", "news", "more"]):
        assert cli.main(["message", "cancel", *subject]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "postroom: news is no message id: the answer to a submission tells it.",
        f"postroom: There is no message {unknown}.",
        "postroom: There is no communication news of erp.",
        "postroom: Name a message by its id, or an application and its communication.",
    ]


def test_a_network_that_was_removed_belongs_to_nobody(
    ledger: None, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["app", "network"]
    cli.main([*network, "add", "erp", "10.20.0.0/16", "--kind", "test"])
    cli.main([*network, "remove", "10.20.0.0/16"])
    cli.main([*network, "list"])
    assert capsys.readouterr().out == (
        "Mail from 10.20.0.0/16 belongs to erp from now on.\n"
        "Mail from 10.20.0.0/16 belongs to erp no more.\n"
    )
    assert cli.main([*network, "remove", "10.20.0.0/16"]) == 1
    assert cli.main([*network, "remove", "corp.example"]) == 1
    assert capsys.readouterr().err == (
        "postroom: 10.20.0.0/16 belongs to no application; see `postroom app network list`.\n"
        "postroom: 'corp.example' does not appear to be an IPv4 or IPv6 network\n"
    )


def test_the_help_of_account_add_names_every_provider(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["account", "add", "--help"])
    words = set(re.findall(r"\w+", capsys.readouterr().out))
    assert set(PROVIDERS) <= words


def test_an_account_of_a_provider_that_nobody_knows_is_misuse(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["account", "add", "main", "--provider", "sengrid"])
    assert ended.value.code == 2
    assert "'sengrid'" in capsys.readouterr().err
