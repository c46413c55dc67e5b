"""The timeline of one mail: which events come of it, when, and in what words.

Pure: the same seed, address and decision give the same timeline, so a restarted simulator goes on
where it was killed. Field names and values are the vendor's (Event Webhook Reference,
twilio.com/docs/sendgrid/for-developers/tracking-events/event, read 2026-11-24).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from postroom.simulator.addresses import Decision, Fate
from postroom.simulator.dice import Dice
from postroom.simulator.operators import operator_of, reply_for_code
from postroom.simulator.replies import POSTFIX, Reply, Situation


@dataclass(frozen=True, slots=True)
class Step:
    """One event to come."""

    event: str
    """The provider's word."""
    after_s: float
    """Seconds from the moment the mail was taken, before `time_scale`."""
    words: Mapping[str, object]
    """The fields that belong to this event alone."""
    nameless: bool = False
    """Comes without message ids, as a bounce that a notification brought does."""


HUMAN_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
)
PROXY_AGENT = "Mozilla/5.0"
"""All that Apple's privacy proxy says of itself."""

DROP_REASONS = ("Bounced Address", "Unsubscribed Address", "Spam Reporting Address")

_CLASSES: dict[Situation, tuple[str, str]] = {
    Situation.UNKNOWN: ("bounce", "Invalid Address"),
    Situation.DISABLED: ("bounce", "Mailbox Unavailable"),
    Situation.FULL: ("bounce", "Mailbox Unavailable"),
    Situation.BLOCKED: ("blocked", "Reputation"),
    Situation.SPAM: ("blocked", "Content"),
    Situation.LATER: ("blocked", "Technical Failure"),
}
"""The vendor's type and bounce classification by what the receiver meant."""

_CODE_CLASSES: tuple[tuple[str, tuple[str, str]], ...] = (
    ("4.", ("blocked", "Technical Failure")),
    ("5.1.", ("bounce", "Invalid Address")),
    ("5.2.", ("bounce", "Mailbox Unavailable")),
    ("5.4.", ("blocked", "Technical Failure")),
    ("5.6.", ("blocked", "Content")),
    ("5.7.", ("blocked", "Reputation")),
)
"""The same by the enhanced code that a label asked for; the first prefix that fits."""


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

    def line(self, reply: Reply) -> str:
        """The reply as this mail meets it."""
        return reply.filled(self.address, self.dice)


def timeline(address: str, decision: Decision, seed: int) -> tuple[Step, ...]:
    """All events to come of a mail to `address`, in order; empty for a silent one."""
    mail = _Mail(address, decision, seed, Dice(seed, f"timeline {address.lower()}"))
    return tuple(_BUILDERS[decision.fate](mail))


def _processed() -> Step:
    return Step("processed", 0.0, {})


def _delivered(mail: _Mail, after_s: float | None = None) -> Step:
    words = {"response": mail.line(mail.reply(Situation.TAKEN)), "ip": _our_ip(mail), "tls": 1}
    return Step("delivered", after_s or mail.dice.between(0.2, 1.5), words)


def _our_ip(mail: _Mail) -> str:
    return f"203.0.113.{int(mail.dice.between(1, 20))}"


def _their_ip(mail: _Mail) -> str:
    return f"192.0.2.{int(mail.dice.between(1, 255))}"


def _bounce(mail: _Mail, situation: Situation, after_s: float, reply: Reply | None = None) -> Step:
    reply = reply or mail.reply(situation)
    kind, classification = _classes(mail.decision.code, situation)
    words = {
        "reason": mail.line(reply),
        "status": reply.status or "5.0.0",
        "type": kind,
        "bounce_classification": classification,
        "ip": _our_ip(mail),
        "tls": 1,
    }
    return Step("bounce", after_s, words)


def _classes(code: str | None, situation: Situation) -> tuple[str, str]:
    if code is None:
        return _CLASSES[situation]
    fitting = [classes for prefix, classes in _CODE_CLASSES if code.startswith(prefix)]
    return fitting[0] if fitting else ("bounce", "Unclassified")


def _deferred(mail: _Mail, reply: Reply, attempt: int, after_s: float) -> Step:
    words = {"response": mail.line(reply), "attempt": str(attempt), "ip": _our_ip(mail), "tls": 1}
    return Step("deferred", after_s, words)


def _plainly_delivered(mail: _Mail) -> list[Step]:
    return [_processed(), _delivered(mail)]


def _bounced(situation: Situation) -> Callable[[_Mail], list[Step]]:
    def build(mail: _Mail) -> list[Step]:
        return [_processed(), _bounce(mail, situation, mail.dice.between(0.2, 1.2))]

    return build


def _given_up(mail: _Mail) -> list[Step]:
    """The vendor tries for 72 hours, then reports a block with the last reply."""
    reply = mail.reply(Situation.LATER)
    tries = [_deferred(mail, reply, n, after_s) for n, after_s in enumerate((0.5, 1.3, 2.4), 1)]
    return [_processed(), *tries, _bounce(mail, Situation.LATER, 3.6, reply)]


def _put_off(mail: _Mail) -> list[Step]:
    reply = mail.reply(Situation.LATER)
    tries = [_deferred(mail, reply, n, after_s) for n, after_s in enumerate((0.5, 1.3), 1)]
    return [_processed(), *tries, _delivered(mail, 2.4)]


def _returned(mail: _Mail) -> list[Step]:
    """A notification came back after the delivery: no connection of ours, so no ip and tls."""
    steps = _plainly_delivered(mail)
    bounce = _bounce(mail, Situation.UNKNOWN, steps[-1].after_s + 1.5)
    words = {key: value for key, value in bounce.words.items() if key not in {"ip", "tls"}}
    return [*steps, Step("bounce", bounce.after_s, words, nameless=True)]


def _dropped(mail: _Mail) -> list[Step]:
    """A dropped mail is never processed."""
    reason = DROP_REASONS[0] if mail.decision.magic else mail.dice.pick(DROP_REASONS)
    return [Step("dropped", 0.1, {"reason": reason, "status": "5.0.0"})]


def _complained(mail: _Mail) -> list[Step]:
    steps = _plainly_delivered(mail)
    return [*steps, Step("spamreport", steps[-1].after_s + 1.0, {})]


def _open(mail: _Mail, after_s: float, machine: bool) -> Step:
    words = {
        "useragent": PROXY_AGENT if machine else mail.dice.pick(HUMAN_AGENTS),
        "ip": _their_ip(mail),
        "sg_machine_open": machine,
        "sg_content_type": "html",
    }
    return Step("open", after_s, words)


def _opened(machine: bool) -> Callable[[_Mail], list[Step]]:
    def build(mail: _Mail) -> list[Step]:
        steps = _plainly_delivered(mail)
        wait_s = 0.3 if machine else mail.dice.between(0.5, 2.0)
        return [*steps, _open(mail, steps[-1].after_s + wait_s, machine)]

    return build


def _clicked(mail: _Mail) -> list[Step]:
    steps = _opened(machine=False)(mail)
    opened = steps[-1]
    words = {
        "useragent": opened.words["useragent"],
        "ip": opened.words["ip"],
        "url_offset": {"index": 0, "type": "html"},
        "sg_content_type": "html",
    }
    return [*steps, Step("click", opened.after_s + 0.4, words)]


def _unsubscribed(mail: _Mail) -> list[Step]:
    steps = _plainly_delivered(mail)
    return [*steps, Step("unsubscribe", steps[-1].after_s + 1.0, {})]


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
    Fate.COMPLAIN: _complained,
    Fate.OPEN: _opened(machine=False),
    Fate.MACHINE_OPEN: _opened(machine=True),
    Fate.CLICK: _clicked,
    Fate.UNSUBSCRIBE: _unsubscribed,
    Fate.OOTO: _plainly_delivered,
    Fate.SILENT: _nothing,
    Fate.REFUSE: _nothing,
}
