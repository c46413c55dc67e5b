"""The forecast of a communication: what remains, at what pace, set by what, and until when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from postroom.domain.forecast import Circumstances, Forecast, LimitedBy, forecast
from postroom.domain.limits import Limits
from postroom.ledger import accounts, paces, progress
from postroom.ledger.accounts import AccountRow
from postroom.ledger.paces import Standing
from postroom.ledger.progress import Pace, Waiting
from postroom.ledger.shares import Group

SENTENCES = {
    LimitedBy.PAUSE: "It is paused; resume it.",
    LimitedBy.SEND_AT: "What is left is to be sent later.",
    LimitedBy.NO_ACCOUNT: "No account is in use that could carry it; see `postroom doctor`.",
    LimitedBy.ACCOUNT_RESTS: "The provider asked for a pause, or is in trouble.",
    LimitedBy.RECEIVER: "Receivers asked for less mail; it goes on at their pace.",
    LimitedBy.APPLICATION_LIMIT: "The application's own limit sets the pace.",
    LimitedBy.ACCOUNT_LIMIT: "The limit of the provider account sets the pace.",
    LimitedBy.PROVIDER: "The provider's answers set the pace.",
}
"""What a person reads about each thing that sets the pace."""


def of_communication(
    application_id: int, communication: str, simulated: bool, now: datetime
) -> Forecast:
    """What is to be expected of a communication from now on, by its name."""
    communication_id = progress.communication_id(application_id, communication)
    if communication_id is None:
        raise LookupError(communication)
    found = progress.waiting(Group(application_id, communication_id))
    mine = [one for one in found if one.simulated is simulated]
    return of_waiting(mine, application_id, communication_id, simulated, progress.paces(), now)


def of_waiting(
    waiting: Sequence[Waiting],
    application_id: int,
    communication_id: int | None,
    simulated: bool,
    lately: Sequence[Pace],
    now: datetime,
) -> Forecast:
    """The same from what was read of the queue and of the paces."""
    usable = accounts.usable(simulated)
    standings = paces.standings()
    own = progress.allowance(application_id)
    of_it = (application_id, communication_id)
    mine = [pace for pace in lately if (pace.application_id, pace.communication_id) == of_it]
    group = Group(application_id, communication_id or 0)
    later = sum(one.later for one in waiting)
    found = Circumstances(
        due=sum(one.due for one in waiting),
        later=later,
        for_receivers=progress.for_receivers(group, simulated) if later else 0,
        in_hand=progress.in_hand(group, simulated),
        per_s=sum(pace.recipients_per_s for pace in mine),
        is_paused=any(one.is_paused for one in waiting),
        accounts=len(usable),
        resting=sum(one.id in standings and standings[one.id].rest_s > 0 for one in usable),
        application_per_s=None if simulated else own.per_s,
        application_day_left=None if simulated else own.day_left,
        account_day_left=_day_left(usable, standings),
        account_use=min((_use(one, standings.get(one.id), lately) for one in usable), default=0.0),
    )
    return forecast(found, now)


def _day_left(usable: Iterable[AccountRow], standings: Mapping[int, Standing]) -> float | None:
    """Recipients that these accounts may still have today; None: any number."""
    left = 0.0
    for account in usable:
        standing = standings.get(account.id)
        per_day = Limits.of(account.settings, standing, 1).recipients_per_day
        if per_day is None:
            return None
        left += max(0.0, per_day - (standing.day_count if standing is not None else 0))
    return left


def _use(account: AccountRow, standing: Standing | None, lately: Sequence[Pace]) -> float:
    """What part of its limits the account uses; 0 where it has none."""
    limits = Limits.of(account.settings, standing, 1)
    mine = [pace for pace in lately if pace.account_id == account.id]
    uses = [0.0]
    if limits.calls_per_s is not None:
        uses.append(sum(pace.calls_per_s for pace in mine) / limits.calls_per_s)
    if limits.recipients_per_s is not None:
        uses.append(sum(pace.recipients_per_s for pace in mine) / limits.recipients_per_s)
    return max(uses)
