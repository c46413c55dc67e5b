"""A relay's whole way: mail leaves by SMTP, and what comes back to its return paths decides.

What the ledger can know of a relay is what the relay says, and of a mail that went well it says
nothing: such a delivery stays `submitted` and becomes `unconfirmed`. The truth log knows more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from postroom.feedback.reading import read_receipt
from postroom.ledger import accounts, receipts
from postroom.management.returns import ReturnedMail
from postroom.simulator.faces import new_face_config
from postroom.simulator.steps import What
from postroom.submission.smtp_listener import Listener
from tests.helpers import eventually
from tests.sending.posting import post_smtp, rows, sending
from tests.simulator.rig import Running, config
from tests.submission.door import Door, serving

pytestmark = pytest.mark.usefixtures("ledger")

MAIL = b"From: Desk <desk@corp.example>\r\nSubject: Prices\r\n\r\nNew prices.\r\n"

TOLD: dict[str, tuple[str, str | None, bool]] = {
    "delivered": ("submitted", None, False),
    "open": ("submitted", None, False),
    "silent": ("submitted", None, False),
    "bounce": ("bounced", "address_unknown", True),
    "bounce+5.2.1": ("bounced", "mailbox_disabled", True),
    "full": ("bounced", "mailbox_full", True),
    "block": ("bounced", "reputation_block", True),
    "spam": ("bounced", "content_refused", True),
    "late-bounce": ("bounced", "address_unknown", True),
    "defer": ("bounced", "gave_up", True),
    "ooto": ("delivered", "auto_reply", False),
    "complain": ("delivered", "complained_before", False),
    "refuse": ("rejected", "address_unknown", False),
}
"""By local part: verdict, reason, and whether the failure came after the relay had taken it."""


@dataclass(frozen=True)
class Line:
    """A relay account, the simulator that is the relay, and the door that mail comes back to."""

    running: Running

    def send(self, *locals_: str) -> None:
        """Returns when everything was handed over, told, and read."""
        post_smtp([f"{local}@sim.example" for local in locals_], MAIL, "app@corp.example")
        with sending():
            eventually(lambda: not rows("SELECT 1 FROM delivery WHERE stage <> 'handed'"), 30)
        eventually(lambda: self.running.truth.copies and self.running.is_settled(), 20)
        while receipts.interpret_new(100, read_receipt):
            pass


@pytest.fixture
def door() -> Iterator[Door]:
    with serving(Listener("mail.corp.example", relays=False, returns=ReturnedMail())) as opened:
        yield opened


@pytest.fixture
def line(tmp_path: Path, door: Door) -> Iterator[Line]:
    face = new_face_config("relay", f"smtp://127.0.0.1:{door.port}")
    running = Running(config(tmp_path, None, faces={"relay": face}, time_scale=0.05))
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": str(running.simulator.smtp_port),
        "smtp_user": face["smtp_user"],
        "smtp_password": face["smtp_password"],
        "return_path_domain": "bounce.corp.example",
    }
    accounts.add("relay", "smtp", True, settings)
    yield Line(running)
    running.close()


def outcomes() -> dict[str, tuple[Any, ...]]:
    """Verdict, reason and whether it failed after acceptance, by local part."""
    told = rows("SELECT recipient, verdict, reason, after_acceptance FROM delivery")
    return {recipient.partition("@")[0]: tuple(rest) for recipient, *rest in told}


def test_the_verdicts_follow_what_comes_back(line: Line) -> None:
    line.send(*TOLD)
    assert outcomes() == TOLD
    assert {key for (key,) in rows("SELECT address_key FROM suppression")} == {
        f"{local}@sim.example" for local in ("bounce", "late-bounce", "complain")
    }


def test_a_delay_is_seen_while_the_relay_tries_and_its_end_is_silence(line: Line) -> None:
    line.send("defer-then-deliver")
    assert outcomes() == {"defer-then-deliver": ("deferred", "greylisted", False)}
    (taken,) = line.running.truth.copies.values()
    assert taken.final is not None
    assert taken.final.what is What.DELIVERED


def test_no_failure_is_claimed_that_the_truth_log_does_not_know(line: Line) -> None:
    line.send(*TOLD)
    failed = {
        taken.copy.recipient.partition("@")[0]
        for taken in line.running.truth.copies.values()
        if taken.final is not None and taken.final.what is What.BOUNCED
    }
    assert {local for local, told in outcomes().items() if told[0] == "bounced"} == failed


def test_a_report_that_comes_twice_or_under_another_path_changes_nothing(line: Line) -> None:
    line.running.make_mischief(webhook_repeat=1, webhook_reissue=1, webhook_forge=1)
    line.send("bounce", "delivered", "ooto")
    assert outcomes() == {local: TOLD[local] for local in ("bounce", "delivered", "ooto")}
    assert rows("SELECT count(*) FROM event WHERE type = 'bounced'") == [(1,)]
