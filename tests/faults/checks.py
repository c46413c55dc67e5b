"""What must hold after a run: each check gives the sentences that say what does not."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

from postroom.simulator.steps import What
from postroom.simulator.truth import Fact, TakenCopy
from tests.faults.evidence import Evidence, spans
from tests.faults.scale import LEASE_S
from tests.faults.seconds import breaches

FINAL = frozenset({"delivered", "bounced", "rejected", "suppressed", "unconfirmed"})
"""States in which nothing is in progress. Nobody here cancels, schedules, or sets an expiry."""
NEVER_TAKEN = frozenset({"rejected", "suppressed", "unconfirmed"})
"""What the ledger may say of a recipient for whom the provider took nothing. Suppressed: by the
provider in its answer, or by us because a person said so: every address occurs once."""
_DUE_S_MAX = 60.0
_CLAIM_MAX = timedelta(seconds=LEASE_S)
MEMORY_MB_MAX = 256
"""In one process of a role; each of them begins with some 60 MB."""
_DELIVERED, _NOTHING = frozenset({"delivered"}), frozenset({"unconfirmed"})
_WORDS = {
    What.DELIVERED: _DELIVERED,
    What.BOUNCED: frozenset({"bounced"}),
    What.DROPPED: frozenset({"suppressed", "rejected"}),
}
"""The states that agree with what the simulator last told of a mail."""
_PROOFS = frozenset({What.COMPLAINED, What.AUTO_REPLIED})
"""What happens only to a mail that has arrived."""
_HINTS = frozenset({What.OPENED, What.CLICKED, What.UNSUBSCRIBED})
"""The same, where it was a person and not a machine: a matter of judgement."""


def no_acknowledged_mail_is_lost(evidence: Evidence) -> Iterator[str]:
    """Every mail that a client saw acknowledged is in the ledger, byte by byte, once."""
    ids = Counter(one.message_id for one in evidence.acknowledged)
    for one in evidence.acknowledged:
        kept = evidence.messages.get(one.message_id)
        if kept is None:
            yield f"{one.mail.id} was acknowledged as {one.message_id} and is not in the ledger"
        elif kept.digest != one.mail.digest:
            yield f"{one.mail.id} is kept with other bytes than were submitted"
        if ids[one.message_id] > 1:
            yield f"{one.mail.id} shares message {one.message_id} with another mail"
    for id in evidence.messages.keys() - ids.keys():
        yield f"message {id} was acknowledged to nobody: its repeat made another message"


def clients_see_nothing_strange(evidence: Evidence) -> Iterator[str]:
    """A client sees 202 or 250, 503 or 4yz, or a broken connection, and is heard in the end."""
    yield from evidence.strange


def sums_equal_what_was_accepted(evidence: Evidence) -> Iterator[str]:
    """Recipients as submitted, as counted at acceptance, as deliveries, and as reported agree."""
    for one in evidence.acknowledged:
        kept = evidence.messages.get(one.message_id)
        deliveries = evidence.deliveries_of.get(one.message_id, [])
        if kept is not None and kept.recipients + kept.duplicates != len(one.mail.recipients):
            yield f"{one.mail.id} was counted with {kept.recipients} recipients at acceptance"
        if sorted(d.recipient for d in deliveries) != sorted(one.mail.recipients):
            yield f"{one.mail.id} has {len(deliveries)} deliveries, not one for each recipient"
    accepted = sum(kept.recipients for kept in evidence.messages.values())
    states = Counter(delivery.state for delivery in evidence.deliveries.values())
    reported = Counter(evidence.report.get("states", {}))
    if evidence.report.get("recipients") != accepted or not evidence.report.get("balanced"):
        yield f"the report does not balance with the {accepted} recipients that were accepted"
    if +reported != states:
        yield f"the report counts {dict(+reported)}, the deliveries are {dict(states)}"


def nothing_is_in_progress(evidence: Evidence) -> Iterator[str]:
    """In the end every delivery stands in one final state."""
    for id, delivery in evidence.deliveries.items():
        if delivery.state not in FINAL:
            yield f"delivery {id} is {delivery.state} in the end"


def nobody_gets_it_twice(evidence: Evidence) -> Iterator[str]:
    """The provider took at most one copy for each recipient; every address occurs in one mail."""
    taken = Counter(one.copy.recipient for one in evidence.truth.copies.values())
    for recipient, times in taken.items():
        if times > 1:
            yield f"{recipient} was handed over {times} times"


def doubt_stays_within_the_faults(evidence: Evidence) -> Iterator[str]:
    """Only calls in flight at a fault end in doubt, and every doubt is settled in the end."""
    doubtful = {one.delivery_id for one in evidence.doubtful}
    if len(doubtful) > evidence.in_flight:
        yield f"{len(doubtful)} were in doubt, {evidence.in_flight} were in flight at the faults"
    for one in evidence.doubtful:
        if not any(spans(one, fault) for fault in evidence.breaking):
            yield f"attempt {one.attempt_id} ended in doubt and no fault explains it"
    for id in doubtful:
        if evidence.deliveries[id].state not in FINAL:
            yield f"delivery {id} was in doubt and is {evidence.deliveries[id].state} in the end"


def the_ledger_equals_the_truth(evidence: Evidence) -> Iterator[str]:
    """Of every recipient the ledger says what became of the copy that the provider took."""
    known = evidence.truth.by_handover()
    told: set[object] = set()
    for handover_id, copies in known.items():
        handover = evidence.handovers.get(handover_id)
        if handover is None:
            yield f"hand-over {handover_id} was made and the ledger does not know it"
            continue
        told.add(handover.delivery_id)
        yield from _compared(evidence, handover.delivery_id, copies)
    for copy in evidence.truth.copies.values():
        if copy.copy.handover is None:
            yield f"copy {copy.copy.id} was made without a hand-over id"
    for id, delivery in evidence.deliveries.items():
        if id not in told and delivery.state not in NEVER_TAKEN:
            yield f"delivery {id} is {delivery.state} and the provider took nothing"


def _compared(evidence: Evidence, delivery_id: object, copies: list[TakenCopy]) -> Iterator[str]:
    delivery = evidence.deliveries[delivery_id]  # type: ignore[index]  # of a hand-over
    for taken in copies:
        if not taken.complete or not all(_is_settled(evidence, fact) for fact in taken.facts):
            yield f"the simulator has not told everything about {taken.copy.recipient}"
        elif delivery.recipient != taken.copy.recipient:
            yield f"{taken.copy.recipient} got the hand-over of {delivery.recipient}"
        elif delivery.state not in (allowed := _words_of(evidence, taken)):
            yield f"{delivery.recipient} is {delivery.state}; the truth is {' or '.join(allowed)}"


def _is_settled(evidence: Evidence, fact: Fact) -> bool:
    return evidence.truth.told(fact) or fact.batch in evidence.truth.lost


def _words_of(evidence: Evidence, taken: TakenCopy) -> frozenset[str]:
    """The states that agree with what was told of a copy: what was lost cannot be known."""
    told = [fact.what for fact in taken.facts if evidence.truth.told(fact)]
    ends = [_WORDS[what] for what in told if what in _WORDS]
    if ends:
        return ends[-1]
    if _PROOFS.intersection(told):
        return _DELIVERED
    return _DELIVERED | _NOTHING if _HINTS.intersection(told) else _NOTHING


def nobody_sees_another(evidence: Evidence) -> Iterator[str]:
    """A copy shows its recipient alone, or To and Cc as written; and it is the recipient's own."""
    mails = {each: one for one in evidence.acknowledged for each in one.mail.recipients}
    for taken in evidence.truth.copies.values():
        copy, one = taken.copy, mails.get(taken.copy.recipient)
        if one is None or one.message_id not in evidence.messages:
            yield f"{copy.recipient} got a mail that nobody was acknowledged"
            continue
        mail, trace = one.mail, evidence.messages[one.message_id].trace(one.message_id)
        if (copy.to, copy.cc) != (mail.to or (copy.recipient,), mail.cc):
            yield f"{copy.recipient} sees {', '.join((*copy.to, *copy.cc))}"
        if copy.digest != mail.digest_for(copy.recipient, trace):
            yield f"{copy.recipient} got another content than was meant for him"


def verify_finds_nothing(evidence: Evidence) -> Iterator[str]:
    """`postroom verify` recomputed everything and found it as kept."""
    if evidence.verified:
        yield f"postroom verify: {evidence.verified}"


def no_role_has_a_traceback(evidence: Evidence) -> Iterator[str]:
    """A role that was not itself killed said nothing of an error without calling for a person."""
    lines = evidence.log.splitlines()
    for number, line in enumerate(lines):
        before = lines[max(0, number - 1)]
        if "Traceback (most recent call last)" in line and "ALARM" not in before:
            yield "a role's log has a traceback: " + " | ".join([before, *lines[number:][:40]])


def no_log_tells_a_secret(evidence: Evidence) -> Iterator[str]:
    """No key, no address and nothing of a mail's content stands in a log."""
    for line in evidence.log.splitlines():
        if any(canary in line for canary in evidence.canaries):
            yield f"a log tells what it should not: {line}"


def it_recovers_by_itself(evidence: Evidence) -> Iterator[str]:
    """In the end nothing that is due waits for long."""
    if evidence.oldest_due_s > _DUE_S_MAX:
        yield f"a delivery has been due for {evidence.oldest_due_s:.0f} s"


def no_second_exceeds_the_limit(evidence: Evidence) -> Iterator[str]:
    """No second held more calls than the account allows, wherever one lets the second begin."""
    if evidence.calls_per_s is not None:
        for at in breaches(evidence.arrivals, evidence.calls_per_s):
            yield f"a call at {at:.3f} was one too many of {evidence.calls_per_s} in a second"


def nobody_is_mailed_once_suppressed(evidence: Evidence) -> Iterator[str]:
    """To a suppressed address no call begins but by a sender that had claimed it before."""
    for id, handover in evidence.handovers.items():
        recipient = evidence.deliveries[handover.delivery_id].recipient
        since = evidence.suppressed.get(recipient)
        if since is not None and handover.begun_at > since + _CLAIM_MAX:
            yield f"hand-over {id} began {handover.begun_at - since} after {recipient} was stopped"


def memory_is_bounded(evidence: Evidence) -> Iterator[str]:
    """No process of a role grows with what waits."""
    for role, mb in evidence.memory_mb.items():
        if mb > MEMORY_MB_MAX:
            yield f"{role} had {mb} MB in memory"


CHECKS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    no_acknowledged_mail_is_lost,
    clients_see_nothing_strange,
    sums_equal_what_was_accepted,
    nothing_is_in_progress,
    nobody_gets_it_twice,
    doubt_stays_within_the_faults,
    the_ledger_equals_the_truth,
    nobody_sees_another,
    verify_finds_nothing,
    no_role_has_a_traceback,
    no_log_tells_a_secret,
    it_recovers_by_itself,
    no_second_exceeds_the_limit,
    nobody_is_mailed_once_suppressed,
    memory_is_bounded,
)


def violations(evidence: Evidence) -> dict[str, list[str]]:
    """Everything that does not hold, by the name of the check."""
    found = {check.__name__: list(check(evidence)) for check in CHECKS}
    return {name: sentences for name, sentences in found.items() if sentences}
