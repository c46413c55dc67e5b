"""How long an account rests after trouble that is its own and not one mail's."""

from dataclasses import dataclass

from postroom.domain.retry import ASKED_S_MAX
from postroom.providers.base import Reply, ReplyKind

_TOO_FAST = (421, 429)
"""Statuses by which a provider says that calls are too many."""
_FIRST_S = 0.5
_LONGEST_S = 60.0


@dataclass(slots=True)
class Rest:
    """The present rest of one account."""

    until: float = 0.0
    told_until: float = 0.0
    """Until then by the provider's own word, or another sender's."""
    failures: int = 0


class BackOff:
    """What this sender remembers of accounts in trouble; times are of a monotonic clock."""

    def __init__(self) -> None:
        self._rests: dict[int, Rest] = {}

    def left_s(self, account_id: int, now: float) -> float:
        """Seconds until the account may be called again; 0 when it may."""
        rest = self._rests.get(account_id)
        return max(0.0, rest.until - now, rest.told_until - now) if rest is not None else 0.0

    def rest(self, account_id: int, until: float) -> None:
        """Let the account rest until then, because another sender was told so."""
        rest = self._rests.setdefault(account_id, Rest())
        rest.told_until = max(rest.told_until, until)

    def heard(self, account_id: int, reply: Reply, now: float) -> None:
        """Take note of an answer: a good one ends the trouble, a bad one doubles the rest.

        A good one to a call that was in flight ends no rest that the provider has asked for.
        """
        rest = self._rests.setdefault(account_id, Rest())
        if reply.rest_s is not None:
            self.rest(account_id, now + min(reply.rest_s, ASKED_S_MAX))
        if not concerns_account(reply):
            if reply.kind is not ReplyKind.UNKNOWN:
                self._rests[account_id] = Rest(told_until=rest.told_until)
            return
        # Answers to calls that were in flight together are one failure, not many.
        if rest.until <= now:
            rest.failures += 1
        until = now + _rest_s(reply, rest.failures)
        if is_throttling(reply) or reply.retry_after_s is not None:
            self.rest(account_id, until)
        rest.until = max(rest.until, until)


def is_throttling(reply: Reply) -> bool:
    """Whether the answer says that the calls were too many."""
    return reply.kind is ReplyKind.TRY_LATER and reply.status in _TOO_FAST


def concerns_account(reply: Reply) -> bool:
    """Whether the answer asks every call of the account to wait, not this mail alone."""
    if reply.kind is not ReplyKind.TRY_LATER or (reply.refused and not reply.retry_after_s):
        return False
    status = reply.status
    return reply.retry_after_s is not None or status is None or status in _TOO_FAST or status >= 500


def _rest_s(reply: Reply, failures: int) -> float:
    if reply.retry_after_s is not None:
        return min(reply.retry_after_s, ASKED_S_MAX)
    doubled: float = _FIRST_S * 2.0 ** min(failures - 1, 10)
    return min(_LONGEST_S, doubled)
