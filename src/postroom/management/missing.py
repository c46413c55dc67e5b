"""Has providers asked again for what seems to be missing: after gaps, in doubt, in long silence."""

from datetime import timedelta

from django.conf import settings

from postroom.feedback.history import can_be_asked
from postroom.ledger import pulls
from postroom.ledger.accounts import AccountRow, all_accounts
from postroom.ledger.pulls import Stretch
from postroom.providers.registry import PROVIDERS

EVERY_S = 15.0
SILENCE_EVERY_S = 1800.0
_AGAIN = timedelta(minutes=15)
"""Pace of pulls while an incident stands: words that come by themselves are not waited for."""
SILENT = timedelta(hours=12)
"""Most receivers have answered after this; what is silent then may have been told to nobody."""


def looked_up() -> list[int]:
    """Accounts whose provider, when asked, also tells of calls in doubt."""
    return [row.id for row in _askable() if _names_our_id(row)]


def ask() -> int:
    """How many pulls are wanted now, because of gaps and of calls in doubt."""
    known = _askable()
    half_window = timedelta(seconds=settings.POSTROOM_DOUBT_WINDOW_S) / 2
    gaps = pulls.missing_in_incidents([row.id for row in known], _AGAIN)
    in_doubt = pulls.missing_in_doubt(
        [row.id for row in known if _names_our_id(row)], half_window
    )  # fmt: skip
    return _want(gaps, "gap") + _want(in_doubt, "doubt")


def ask_for_silent() -> int:
    """How many pulls are wanted now, because of hand-overs that have been silent for long."""
    silent = pulls.missing_for_long([row.id for row in _askable()], SILENT)
    return _want(silent, "silence")


def _askable() -> list[AccountRow]:
    return [row for row in all_accounts() if can_be_asked(row)]


def _names_our_id(row: AccountRow) -> bool:
    make = PROVIDERS[row.provider].make_history
    return make is not None and make().names_our_id


def _want(stretches: list[Stretch], why: str) -> int:
    return sum(pulls.want(*stretch, why) is not None for stretch in stretches)
