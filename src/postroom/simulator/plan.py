"""The timeline of one mail: what happens to it, when, and what the receiver says.

Pure: the same seed, address and decision give the same timeline, so a restarted simulator goes on
where it was killed. How a provider tells of it is its face's matter.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from postroom.simulator.addresses import Decision, Fate
from postroom.simulator.dice import Dice
from postroom.simulator.operators import operator_of, reply_for_code, situation_for_code
from postroom.simulator.replies import POSTFIX, Reply, Situation
from postroom.simulator.steps import Step, What, Why

HUMAN_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
)
PROXY_AGENT = "Mozilla/5.0"
"""All that Apple's privacy proxy says of itself."""

DROPPED_BECAUSE = (Why.BOUNCED_BEFORE, Why.UNSUBSCRIBED_BEFORE, Why.COMPLAINED_BEFORE)


@dataclass(frozen=True, slots=True)
class _Mail:
    """What the builders of a timeline need to know of one mail."""

    address: str
    decision: Decision
    seed: int
    dice: Dice

    def reply(self, situation: Situation) -> Reply:
        """What the receiver says; magic addresses always meet the same plain server."""
        if self.decision.code and situation is not Situation.TAKEN:
            return reply_for_code(self.decision.code, self.address)
        if self.decision.magic:
            return POSTFIX[situation][0]
        operator = operator_of(self.address.rpartition("@")[2].lower(), self.seed)
        return self.dice.pick(operator[situation])

    def meant(self, situation: Situation) -> Situation | None:
        """What the receiver means by it; an address that asks for a code says so itself."""
        code = self.decision.code
        return situation if code is None else situation_for_code(code)

    def line(self, reply: Reply) -> str:
        """The reply as this mail meets it."""
        return reply.filled(self.address, self.dice)


def timeline(address: str, decision: Decision, seed: int) -> tuple[Step, ...]:
    """All that is to happen to a mail to `address`, in order; empty for a silent one."""
    mail = _Mail(address, decision, seed, Dice(seed, f"timeline {address.lower()}"))
    return tuple(_BUILDERS[decision.fate](mail))


def _accepted() -> Step:
    return Step(What.ACCEPTED, 0.0)


def _delivered(mail: _Mail, after_s: float | None = None) -> Step:
    reply = mail.reply(Situation.TAKEN)
    text, ip = mail.line(reply), _our_ip(mail)
    after_s = after_s or mail.dice.between(0.2, 1.5)
    return Step(What.DELIVERED, after_s, text, reply.status, Situation.TAKEN, ip=ip)


def _our_ip(mail: _Mail) -> str:
    return f"203.0.113.{int(mail.dice.between(1, 20))}"


def _their_ip(mail: _Mail) -> str:
    return f"192.0.2.{int(mail.dice.between(1, 255))}"


def _bounce(mail: _Mail, situation: Situation, after_s: float) -> Step:
    reply, meant = mail.reply(situation), mail.meant(situation)
    text = mail.line(reply)
    return Step(What.BOUNCED, after_s, text, reply.status, meant, ip=_our_ip(mail))


def _plainly_delivered(mail: _Mail) -> list[Step]:
    return [_accepted(), _delivered(mail)]


def _bounced(situation: Situation) -> Callable[[_Mail], list[Step]]:
    def build(mail: _Mail) -> list[Step]:
        return [_accepted(), _bounce(mail, situation, mail.dice.between(0.2, 1.2))]

    return build


def _tries(mail: _Mail, reply: Reply, after_s: tuple[float, ...]) -> list[Step]:
    """Every try meets the same reply."""
    meant = mail.meant(Situation.LATER)
    return [
        Step(
            What.DEFERRED,
            wait_s,
            mail.line(reply),
            reply.status,
            meant,
            attempt=number,
            ip=_our_ip(mail),
        )
        for number, wait_s in enumerate(after_s, 1)
    ]


def _given_up(mail: _Mail) -> list[Step]:
    """The provider tries for days, then gives up with the last reply."""
    reply, meant = mail.reply(Situation.LATER), mail.meant(Situation.LATER)
    tries = _tries(mail, reply, (0.5, 1.3, 2.4))
    text, ip = mail.line(reply), _our_ip(mail)
    end = Step(What.BOUNCED, 3.6, text, reply.status, meant, gave_up=True, ip=ip)
    return [_accepted(), *tries, end]


def _put_off(mail: _Mail) -> list[Step]:
    tries = _tries(mail, mail.reply(Situation.LATER), (0.5, 1.3))
    return [_accepted(), *tries, _delivered(mail, 2.4)]


def _returned(mail: _Mail) -> list[Step]:
    """A notification came back after the delivery: no connection of the provider's, so no ip."""
    steps = _plainly_delivered(mail)
    bounce = _bounce(mail, Situation.UNKNOWN, steps[-1].after_s + 1.5)
    return [*steps, replace(bounce, after_acceptance=True, ip="")]


def _dropped(mail: _Mail) -> list[Step]:
    """A dropped mail is never in the queue."""
    why = DROPPED_BECAUSE[0] if mail.decision.magic else mail.dice.pick(DROPPED_BECAUSE)
    return [Step(What.DROPPED, 0.1, why=why)]


def _followed_by(what: What) -> Callable[[_Mail], list[Step]]:
    """Delivered, then that."""

    def build(mail: _Mail) -> list[Step]:
        steps = _plainly_delivered(mail)
        return [*steps, Step(what, steps[-1].after_s + 1.0)]

    return build


def _opened(machine: bool) -> Callable[[_Mail], list[Step]]:
    def build(mail: _Mail) -> list[Step]:
        steps = _plainly_delivered(mail)
        wait_s = 0.3 if machine else mail.dice.between(0.5, 2.0)
        agent = PROXY_AGENT if machine else mail.dice.pick(HUMAN_AGENTS)
        after_s, ip = steps[-1].after_s + wait_s, _their_ip(mail)
        return [*steps, Step(What.OPENED, after_s, machine=machine, agent=agent, ip=ip)]

    return build


def _clicked(mail: _Mail) -> list[Step]:
    steps = _opened(machine=False)(mail)
    opened = steps[-1]
    return [*steps, replace(opened, what=What.CLICKED, after_s=opened.after_s + 0.4)]


def _nothing(mail: _Mail) -> list[Step]:
    del mail
    return []


_BUILDERS: dict[Fate, Callable[[_Mail], list[Step]]] = {
    Fate.DELIVERED: _plainly_delivered,
    Fate.BOUNCE: _bounced(Situation.UNKNOWN),
    Fate.DISABLED: _bounced(Situation.DISABLED),
    Fate.FULL: _bounced(Situation.FULL),
    Fate.BLOCK: _bounced(Situation.BLOCKED),
    Fate.SPAM: _bounced(Situation.SPAM),
    Fate.DEFER: _given_up,
    Fate.DEFER_THEN_DELIVER: _put_off,
    Fate.LATE_BOUNCE: _returned,
    Fate.SUPPRESSED: _dropped,
    Fate.COMPLAIN: _followed_by(What.COMPLAINED),
    Fate.OPEN: _opened(machine=False),
    Fate.MACHINE_OPEN: _opened(machine=True),
    Fate.CLICK: _clicked,
    Fate.UNSUBSCRIBE: _followed_by(What.UNSUBSCRIBED),
    Fate.OOTO: _followed_by(What.AUTO_REPLIED),
    Fate.SILENT: _nothing,
    Fate.REFUSE: _nothing,
}
