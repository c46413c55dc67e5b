"""What the relay takes: any mail, byte for byte, and what it refuses in the conversation.

RFC 5321 (section 4.2: replies; 4.5.5: the null sender) and RFC 3461 (NOTIFY). The recipients' own
server (`kind` is `receiver`) refuses at RCPT whom it does not know, at DATA what it takes for spam,
and says 4xx as often as a mail to that address is to be put off.
"""

import hmac
import secrets
from collections import Counter
from typing import Any

from postroom.simulator.addresses import Fate, decide, suppressed_among
from postroom.simulator.copies import Copy
from postroom.simulator.faces.relay.settings import RECEIVER, Settings
from postroom.simulator.operators import reply_for_code
from postroom.simulator.plan import timeline
from postroom.simulator.replies import Situation
from postroom.simulator.smtp_mail import SmtpMail, SmtpRefusedError, SmtpRoad
from postroom.simulator.steps import Step, What

HANDOVER_HEADER = "X-Postroom-Handover"
"""A relay has no metadata: the sender's own id stands in a header, and stays in the mail."""
HEAD_CHARS_MAX = 16_384
"""How much of a mail's header section is kept, to be returned."""


class Relay(SmtpRoad):
    """The listener of a relay, or of the recipients' own server."""

    reports = True

    def __init__(self, name: str, settings: Settings) -> None:
        self._name, self._answers_at_once = name, settings.kind == RECEIVER
        self._user, self._password = settings.smtp_user.encode(), settings.smtp_password.encode()
        self._tries: Counter[str] = Counter()
        """How often a recipient was put off; forgotten when the simulator ends."""

    def knows(self, user: bytes, password: bytes) -> bool:
        """The relay's one login."""
        known = hmac.compare_digest(user, self._user)
        return hmac.compare_digest(password, self._password) and known

    def objection(self, address: str, seed: int) -> str | None:
        """An address that is none, a refused one, one on the relay's own list, or 4xx."""
        if not self.accepts(address):
            return self.refusal(address)
        decision = decide(address, seed)
        if decision.fate is Fate.REFUSE:
            return reply_for_code(decision.code or "5.1.1", address).line
        if suppressed_among([address], seed):
            return f"550 5.7.1 <{address}>: this relay does not write to this address"
        return self._said_at_rcpt(address, seed) if self._answers_at_once else None

    def _said_at_rcpt(self, address: str, seed: int) -> str | None:
        steps = _tried(address, seed)
        waits = [step for step in steps if step.what is What.DEFERRED]
        if waits and not _is_over(steps, self._tries[address], len(waits)):
            self._tries[address] += 1
            return waits[0].text
        refusal = _refusal(steps)
        if waits or refusal is None or refusal.situation is Situation.SPAM:
            return None
        return refusal.text

    def copies(self, mail: SmtpMail) -> list[Copy]:
        """The mail as it came; raises SmtpRefusedError for what a receiver takes for spam."""
        if self._answers_at_once:
            _check_content(mail)
        message_id = secrets.token_hex(6).upper()
        made = mail.copies(
            self._name,
            message_id,
            mail.data,
            f"<{message_id}@relay.sim.example>",
            handover=str(mail.headers[HANDOVER_HEADER] or "").strip() or None,
            track_opens=False,
            track_clicks=False,
            tried=self._answers_at_once,
        )
        head = mail.head[:HEAD_CHARS_MAX]
        for copy, notify in zip(made, mail.notify, strict=True):
            copy.more = _more(head, notify)
        return made


def _tried(address: str, seed: int) -> tuple[Step, ...]:
    return timeline(address, decide(address, seed), seed)


def _is_over(steps: tuple[Step, ...], tries: int, waits: int) -> bool:
    """Whether the receiver has put it off often enough; never where a sender gives up."""
    return steps[-1].what is not What.BOUNCED and tries >= waits


def _refusal(steps: tuple[Step, ...]) -> Step | None:
    """The bounce that is the receiver's answer to the mail; one that came back later is none."""
    bounces = (step for step in steps if step.what is What.BOUNCED)
    return next((step for step in bounces if not step.after_acceptance), None)


def _check_content(mail: SmtpMail) -> None:
    for address in mail.recipients:
        refusal = _refusal(_tried(address, mail.seed))
        if refusal is not None and refusal.situation is Situation.SPAM:
            raise SmtpRefusedError(refusal.text)


def _more(head: str, notify: str) -> dict[str, Any]:
    return {"head": head, "notify": notify} if notify else {"head": head}
