"""`postroom demo`: everything on this machine, a real communication, and what became of it."""

import secrets
import time
from argparse import ArgumentParser, Namespace
from contextlib import suppress

from django.conf import settings

from postroom.domain.delivery import Answer
from postroom.ledger import keys
from postroom.ledger.keys import NewKey
from postroom.management.demo import example, house, submitting
from postroom.management.demo.watching import Outcome, watch
from postroom.management.migrate import migrate
from postroom.management.supervisor import say
from postroom.management.workplace import ledger_open

_APPLICATION = "sandbox"
_START_S_MAX = 60.0
_TRUTH_S_MAX = 100.0
"""A delivery that the simulator puts off until it gives up takes four seconds; a slow machine
and a full run of everything else at the same time take longer."""


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument(
        "--exit",
        action="store_true",
        help="stop when all is known; status 0 only if the report balances, nothing is open and"
        " the simulator's own log says the same",
    )


def run(arguments: Namespace) -> int:
    """Runs until Ctrl-C, or with --exit until the truth is known."""
    say("Everything runs on this machine; the provider is simulated, and no mail leaves.")
    key = _prepare()
    if house.is_running():
        say("Postroom runs here already, and goes on afterwards.")
        return _status(_show(key))
    say("Starting the database and all roles ...")
    with house.running(_START_S_MAX) as up:
        outcome = _show(key)
        if not arguments.exit:
            say("\nPostroom goes on. Ctrl-C stops it.")
            with suppress(KeyboardInterrupt):
                up.wait()
            say("\nStopping.")
    return _status(outcome)


def _prepare() -> NewKey:
    with ledger_open(any_release=True):
        migrate()
        return keys.create_key(_APPLICATION, "test", keys.SCOPES)


def _show(key: NewKey) -> Outcome:
    communication = f"price-change-2026-11-{secrets.token_hex(3)}"
    expected = _submit(communication, key)
    with ledger_open():
        from postroom.ledger import overview
        from postroom.reports import report

        [(application_id, _)] = overview.applications_with(communication)
        say("")
        outcome = watch(application_id, communication, expected, _TRUTH_S_MAX)
        say(f"\n{report.as_text(outcome.report)}")
        _show_answers(communication)
    _show_comparison(outcome)
    _show_where(communication, key)
    return outcome


def _submit(communication: str, key: NewKey) -> int:
    """How many recipients were submitted."""
    body = example.broadcast(communication)
    began = time.monotonic()
    answer = submitting.by_http(body, key, f"demo-{communication}")
    say(
        f"By HTTP: one call to {answer['recipients']:,} recipients, on disk and answered"
        f" after {time.monotonic() - began:.2f} s."
    )
    mails = submitting.by_smtp(example.singles(communication), key)
    say(f"By SMTP: {mails} single mails. All of them belong to {communication}.")
    return len(body["to"]) + mails


def _show_answers(communication: str) -> None:
    """One who got it and one who did not, as `postroom ask` shows them."""
    from postroom.reports import ask

    for answer, question in (
        (Answer.DELIVERED, "Did it reach this person?"),
        (Answer.NOT_DELIVERED, "And this one? If not, why not?"),
    ):
        recipient = _somebody(communication, answer)
        if recipient is not None:
            say(f"\n{question}\n")
            say(ask.as_text(recipient, *ask.answer(recipient, communication, None)))


def _somebody(communication: str, answer: Answer) -> str | None:
    """The newest recipient of the communication with this answer; None: there is none."""
    from postroom.domain.delivery import ANSWERS
    from postroom.ledger import reading
    from postroom.ledger.wanted import Wanted

    for state in (state for state, given in ANSWERS.items() if given is answer):
        wanted = Wanted(communication=communication, state=state)
        found = reading.find(wanted, limit=1).items
        if found:
            return found[0].recipient
    return None


def _show_comparison(outcome: Outcome) -> None:
    comparison = outcome.comparison
    for difference in comparison.differences:
        say(f"The ledger and the simulator differ: {difference}")
    if comparison.pending:
        say(f"\nAfter {_TRUTH_S_MAX:.0f} s {comparison.pending} are still to be told about.")
    if not comparison.differences and not comparison.pending:
        say(
            f"\nThe simulator's own log ({settings.POSTROOM_DATA / 'truth.jsonl'}) says the same"
            f" of all {comparison.taken:,} mails that it took."
        )


def _show_where(communication: str, key: NewKey) -> None:
    url = submitting.web_url()
    command = ".venv/bin/postroom"
    say(
        f"""
Where to look, while Postroom runs:

  {command} report {communication}
  {command} ask full+desk.west@sim.example
  {command} send --from prices@corp.example --to click+me@sim.example \\
      --subject "One more" --text "By hand." --communication {communication}
  {command} verify

  KEY={key.key}
  curl -H "Authorization: Bearer $KEY" {url}/v1/communications/{communication}/report
  curl -H "Authorization: Bearer $KEY" "{url}/v1/deliveries?recipient=full%2Bdesk.west@sim.example"

  {url}/v1/openapi.json   every call
  {url}/metrics           what waits, and for how long
  {house.log_file()}   what the roles say
  examples/single-mail     one mail by curl, swaks or smtplib, with this key"""
    )


def _status(outcome: Outcome) -> int:
    return 0 if outcome.good else 1
