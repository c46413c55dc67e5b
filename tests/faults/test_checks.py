"""Each check finds the violation that it is there for, and a sound run has none."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from postroom.simulator.copies import Copy
from postroom.simulator.steps import Step, What
from postroom.simulator.truth import Fact, TakenCopy, Truth
from tests.faults.checks import CHECKS, violations
from tests.faults.clients import Acknowledged
from tests.faults.evidence import Evidence, KeptDelivery, KeptHandover, KeptMessage
from tests.faults.mails import Mail
from tests.faults.scene import Fault
from tests.faults.table import Row, Total, rows, totals

_NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
_ANN, _BEN, _CAT = "ann@people.example", "ben@people.example", "cat@people.example"
_HTTP, _SMTP = UUID(int=1), UUID(int=2)
_OF_ANN, _OF_BEN, _OF_CAT = UUID(int=11), UUID(int=12), UUID(int=13)


def _at(seconds: float) -> datetime:
    return _NOON + timedelta(seconds=seconds)


def _mail(id: str, door: str, *people: str) -> Mail:
    to = (people[0],) if door == "smtp" else None
    return Mail(id, door, people, id.encode(), to, (), {one: f"for {one}" for one in people})


def _taken(recipient: str, handover: str, *happened: What) -> TakenCopy:
    copy = Copy(
        face="sendgrid",
        message_id=f"id-{handover}",
        number=0,
        door="http",
        recipient=recipient,
        sender="notices@company.example",
        to=(recipient,),
        cc=(),
        digest=f"for {recipient}",
        header_message_id="<1@sim.example>",
        taken_at=_at(2.5).timestamp(),
        starts_at=0,
        seed=1,
        handover=handover,
    )
    return TakenCopy(copy, len(happened), [Fact(0, "batch", Step(what, 0)) for what in happened])


def _sound() -> Evidence:
    """Ann got hers; Ben's call broke off when the sender was killed; Cat's mail bounced."""
    http, smtp = _mail("h", "http", _ANN, _BEN), _mail("s", "smtp", _CAT)
    copies = (
        _taken(_ANN, "a", What.ACCEPTED, What.DELIVERED),
        _taken(_CAT, "c", What.ACCEPTED, What.BOUNCED),
    )
    return Evidence(
        acknowledged=[
            Acknowledged(http, _HTTP, _at(0), _at(1), 1),
            Acknowledged(smtp, _SMTP, _at(0), _at(1), 2),
        ],
        faults=[Fault("sender", _at(10), breaks_calls=True), Fault("web", _at(50))],
        messages={
            _HTTP: KeptMessage(2, 0, http.digest, _NOON),
            _SMTP: KeptMessage(1, 0, smtp.digest, _NOON),
        },
        deliveries={
            _OF_ANN: KeptDelivery(_HTTP, _ANN, "delivered"),
            _OF_BEN: KeptDelivery(_HTTP, _BEN, "unconfirmed"),
            _OF_CAT: KeptDelivery(_SMTP, _CAT, "bounced"),
        },
        handovers={
            "a": KeptHandover(_OF_ANN, UUID(int=21), "taken", _at(2), _at(3)),
            "b": KeptHandover(_OF_BEN, UUID(int=22), "unknown", _at(9), _at(30)),
            "c": KeptHandover(_OF_CAT, UUID(int=23), "taken", _at(2), _at(3)),
        },
        report={
            "recipients": 3,
            "balanced": True,
            "states": {"delivered": 1, "unconfirmed": 1, "bounced": 1, "queued": 0},
        },
        truth=Truth({one.copy.id: one for one in copies}, {"batch"}),
        suppressed={_BEN: _at(8), "dan@people.example": _at(8)},
        memory_mb={"web": 100, "sender": 90},
        calls_per_s=2,
    )


def _alter(evidence: Evidence, delivery: UUID, **changes: object) -> None:
    evidence.deliveries[delivery] = replace(evidence.deliveries[delivery], **changes)  # type: ignore[arg-type]


def _alter_copy(evidence: Evidence, id: str, **changes: object) -> None:
    taken = evidence.truth.copies[f"id-{id}.0"]
    taken.copy = replace(taken.copy, **changes)  # type: ignore[arg-type]


def _lose_a_mail(evidence: Evidence) -> None:
    del evidence.messages[_SMTP]


def _change_a_byte(evidence: Evidence) -> None:
    evidence.messages[_SMTP] = KeptMessage(1, 0, "another digest", _NOON)


def _accept_a_repeat_twice(evidence: Evidence) -> None:
    evidence.messages[UUID(int=3)] = evidence.messages[_SMTP]


def _join_two_mails(evidence: Evidence) -> None:
    evidence.acknowledged = [replace(one, message_id=_HTTP) for one in evidence.acknowledged]


def _answer_500(evidence: Evidence) -> None:
    evidence.strange = ["h by http: 500"]


def _miscount_at_acceptance(evidence: Evidence) -> None:
    evidence.messages[_HTTP] = replace(evidence.messages[_HTTP], recipients=3)


def _drop_a_delivery(evidence: Evidence) -> None:
    del evidence.deliveries[_OF_ANN]
    del evidence.handovers["a"]
    del evidence.truth.copies["id-a.0"]


def _unbalance_the_report(evidence: Evidence) -> None:
    evidence.report["balanced"] = False


def _report_other_states(evidence: Evidence) -> None:
    evidence.report["states"]["delivered"] = 2


def _leave_one_queued(evidence: Evidence) -> None:
    _alter(evidence, _OF_BEN, state="queued")


def _leave_one_without_a_state(evidence: Evidence) -> None:
    _alter(evidence, _OF_BEN, state=None)


def _hand_over_twice(evidence: Evidence) -> None:
    evidence.truth.copies["again"] = evidence.truth.copies["id-a.0"]


def _doubt_without_a_fault(evidence: Evidence) -> None:
    evidence.faults = [replace(fault, at=_at(40)) for fault in evidence.faults]


def _doubt_at_the_death_of_another(evidence: Evidence) -> None:
    evidence.faults = [Fault("web", _at(10))]


def _doubt_more_than_was_in_flight(evidence: Evidence) -> None:
    for number in range(100, 121):
        evidence.handovers[str(number)] = replace(
            evidence.handovers["b"], delivery_id=UUID(int=number)
        )
        evidence.deliveries[UUID(int=number)] = evidence.deliveries[_OF_BEN]


def _leave_a_doubt_unsettled(evidence: Evidence) -> None:
    _alter(evidence, _OF_BEN, state="indeterminate")


def _call_a_bounce_delivered(evidence: Evidence) -> None:
    _alter(evidence, _OF_CAT, state="delivered")


def _call_what_was_never_taken_delivered(evidence: Evidence) -> None:
    _alter(evidence, _OF_BEN, state="delivered")


def _hand_over_without_an_attempt(evidence: Evidence) -> None:
    del evidence.handovers["a"]


def _hand_over_without_an_id(evidence: Evidence) -> None:
    _alter_copy(evidence, "a", handover=None)


def _tell_too_little(evidence: Evidence) -> None:
    evidence.truth.heard.clear()


def _mix_up_two_people(evidence: Evidence) -> None:
    evidence.handovers["a"] = replace(evidence.handovers["a"], delivery_id=_OF_CAT)


def _show_another(evidence: Evidence) -> None:
    _alter_copy(evidence, "a", to=(_ANN, _BEN))


def _show_another_in_cc(evidence: Evidence) -> None:
    _alter_copy(evidence, "c", cc=(_BEN,))


def _send_another_content(evidence: Evidence) -> None:
    _alter_copy(evidence, "a", digest=f"for {_BEN}")


def _send_to_a_stranger(evidence: Evidence) -> None:
    evidence.truth.copies["s"] = _taken("eve@people.example", "a", What.DELIVERED)


def _verify_finds_something(evidence: Evidence) -> None:
    evidence.verified = "1 value is wrong"


def _raise_somewhere(evidence: Evidence) -> None:
    evidence.log = "ERROR\nTraceback (most recent call last):\n  ...\nValueError"


def _tell_an_address_in_a_log(evidence: Evidence) -> None:
    evidence.log = f"INFO sent to {_ANN}"
    evidence.canaries = ["@people.example"]


def _make_two_calls_at_once(evidence: Evidence) -> None:
    evidence.calls_per_s = 1


def _begin_long_after_a_suppression(evidence: Evidence) -> None:
    evidence.suppressed = {_BEN: _at(0)}


def _grow(evidence: Evidence) -> None:
    evidence.memory_mb = {"web": 100, "sender": 300}


def _let_one_wait(evidence: Evidence) -> None:
    evidence.oldest_due_s = 61


_PLANTED: dict[Callable[[Evidence], None], str] = {
    _lose_a_mail: "no_acknowledged_mail_is_lost",
    _change_a_byte: "no_acknowledged_mail_is_lost",
    _accept_a_repeat_twice: "no_acknowledged_mail_is_lost",
    _join_two_mails: "no_acknowledged_mail_is_lost",
    _answer_500: "clients_see_nothing_strange",
    _miscount_at_acceptance: "sums_equal_what_was_accepted",
    _drop_a_delivery: "sums_equal_what_was_accepted",
    _unbalance_the_report: "sums_equal_what_was_accepted",
    _report_other_states: "sums_equal_what_was_accepted",
    _leave_one_queued: "nothing_is_in_progress",
    _leave_one_without_a_state: "nothing_is_in_progress",
    _hand_over_twice: "nobody_gets_it_twice",
    _doubt_without_a_fault: "doubt_stays_within_the_faults",
    _doubt_at_the_death_of_another: "doubt_stays_within_the_faults",
    _doubt_more_than_was_in_flight: "doubt_stays_within_the_faults",
    _leave_a_doubt_unsettled: "doubt_stays_within_the_faults",
    _call_a_bounce_delivered: "the_ledger_equals_the_truth",
    _call_what_was_never_taken_delivered: "the_ledger_equals_the_truth",
    _hand_over_without_an_attempt: "the_ledger_equals_the_truth",
    _hand_over_without_an_id: "the_ledger_equals_the_truth",
    _tell_too_little: "the_ledger_equals_the_truth",
    _mix_up_two_people: "the_ledger_equals_the_truth",
    _show_another: "nobody_sees_another",
    _show_another_in_cc: "nobody_sees_another",
    _send_another_content: "nobody_sees_another",
    _send_to_a_stranger: "nobody_sees_another",
    _verify_finds_something: "verify_finds_nothing",
    _tell_an_address_in_a_log: "no_log_tells_a_secret",
    _let_one_wait: "it_recovers_by_itself",
    _raise_somewhere: "no_role_has_a_traceback",
    _make_two_calls_at_once: "no_second_exceeds_the_limit",
    _begin_long_after_a_suppression: "nobody_is_mailed_once_suppressed",
    _grow: "memory_is_bounded",
}


def test_a_sound_run_violates_nothing() -> None:
    assert violations(_sound()) == {}


def test_what_was_lost_on_the_way_may_stay_unknown_and_is_never_guessed() -> None:
    evidence = _sound()
    evidence.truth.heard.clear()
    evidence.truth.lost.add("batch")
    _alter(evidence, _OF_ANN, state="unconfirmed")
    assert list(violations(evidence)["the_ledger_equals_the_truth"]) == [
        f"{_CAT} is bounced; the truth is unconfirmed"
    ]


def test_a_traceback_that_calls_for_a_person_is_no_surprise() -> None:
    evidence = _sound()
    evidence.log = "ERROR sending: ALARM\nTraceback (most recent call last):\n"
    assert violations(evidence) == {}


@pytest.mark.parametrize("plant", _PLANTED, ids=lambda plant: plant.__name__.lstrip("_"))
def test_a_planted_violation_is_found(plant: Callable[[Evidence], None]) -> None:
    evidence = deepcopy(_sound())
    plant(evidence)
    assert _PLANTED[plant] in violations(evidence)


def test_every_check_has_a_planted_violation() -> None:
    assert {check.__name__ for check in CHECKS} == set(_PLANTED.values())


def test_the_table_counts_what_each_kind_of_kill_met() -> None:
    evidence = _sound()
    _lose_a_mail(evidence)
    evidence.faults = [*evidence.faults, Fault("smtp", _at(0.5))]
    by_fault = {row.fault: row for row in rows([evidence, evidence])}
    assert by_fault["sender"] == Row("sender", 2, 2, 0, 0, 2, 2)
    assert by_fault["smtp"] == Row("smtp", 2, 0, 2, 0, 0, 0)
    assert by_fault["web"] == Row("web", 2, 0, 0, 0, 0, 0)


def test_the_table_of_runs_counts_each_run_as_a_whole() -> None:
    evidence = _sound()
    _hand_over_twice(evidence)
    assert totals({"kills, 7": evidence}) == [Total("kills, 7", 2, 3, 3, 20, 1, 1, 0, 0, 0, 2, 1)]
