"""The mix: realistic shares, the same for one seed, real replies, nobody silent unless asked."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.addresses import MIX, Fate, decide
from postroom.simulator.dice import Dice
from postroom.simulator.operators import CORPORATE, DOMAINS, operator_of
from postroom.simulator.plan import timeline
from postroom.simulator.replies import Situation
from postroom.simulator.steps import DISPOSITIONS, What

PEOPLE = [f"person{n}@company{n % 50}.example" for n in range(20_000)]


def _endings(seed: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for address in PEOPLE:
        steps = timeline(address, decide(address, seed), seed)
        disposition = [step for step in steps if step.what in DISPOSITIONS]
        counts[disposition[-1].what] += 1
    return counts


def test_about_95_in_100_are_delivered() -> None:
    counts = _endings(seed=1)
    assert 0.94 <= counts["delivered"] / len(PEOPLE) <= 0.965
    assert counts["bounced"] > counts["dropped"] > 0
    assert sum(counts.values()) == len(PEOPLE)


def test_every_fate_of_the_mix_occurs_at_its_share() -> None:
    counts = Counter(decide(address, 3).fate for address in PEOPLE)
    assert sum(weight for _, weight in MIX) == pytest.approx(100)
    for fate, weight in MIX:
        expected = len(PEOPLE) * weight / 100
        assert abs(counts[fate] - expected) <= 5 * expected**0.5 + 1, fate


def test_nobody_is_silent_unless_asked() -> None:
    assert all(fate is not Fate.SILENT for fate, _ in MIX)
    fates = Counter(decide(address, 1, silent_share=0.1).fate for address in PEOPLE)
    assert 0.08 < fates[Fate.SILENT] / len(PEOPLE) < 0.12


def test_the_same_seed_and_address_give_the_same_timeline() -> None:
    for address in PEOPLE[:200]:
        again = [timeline(address, decide(address, 5), 5) for _ in range(2)]
        assert again[0] == again[1]
    assert _endings(1) == _endings(1)
    assert [decide(a, 1).fate for a in PEOPLE] != [decide(a, 2).fate for a in PEOPLE]


def test_without_mischief_a_verdict_is_there_within_seconds() -> None:
    for address in PEOPLE[:2000]:
        steps = timeline(address, decide(address, 1), 1)
        assert all(step.after_s <= 6 for step in steps)
        assert [step.after_s for step in steps] == sorted(step.after_s for step in steps)


@pytest.mark.parametrize("replies", [*DOMAINS.values(), *(each for each, _ in CORPORATE)])
def test_every_operator_answers_every_situation_with_a_fitting_code(
    replies: dict[Situation, tuple[object, ...]],
) -> None:
    classes = {Situation.TAKEN: "2", Situation.LATER: "4"}
    assert set(replies) == set(Situation)
    for situation, choices in replies.items():
        for reply in choices:
            line, status = reply.line, reply.status  # type: ignore[attr-defined]
            assert line[0] == classes.get(situation, "5")
            assert status is None or (status[0] == line[0] and f" {status} " in line)


def test_known_domains_answer_in_their_operators_words() -> None:
    seen = {
        step.text
        for n in range(3000)
        for step in timeline(f"p{n}@gmail.com", decide(f"p{n}@gmail.com", 1), 1)
        if step.what is What.BOUNCED
    }
    assert len(seen) > 20
    assert all("gsmtp" in reason for reason in seen)


def test_a_domain_keeps_its_operator() -> None:
    assert operator_of("firm.example", 4) is operator_of("firm.example", 4)


@given(st.text(), st.integers())
def test_any_text_has_a_fate_and_a_timeline(text: str, seed: int) -> None:
    steps = timeline(text, decide(text, seed), seed)
    assert all(step.after_s >= 0 for step in steps)


@given(st.integers(), st.text())
def test_dice_stay_within_their_range(seed: int, text: str) -> None:
    dice = Dice(seed, text)
    throws = [dice.fraction() for _ in range(50)]
    assert all(0 <= throw < 1 for throw in throws)
    assert sorted(dice.shuffled(range(20))) == list(range(20))
    assert not dice.happens(0)
    assert dice.happens(1)
