"""Which recipients go first: a part that stands for the whole list, and is another each time."""

import random
from collections.abc import Sequence
from dataclasses import replace

from postroom.domain.canary import Plan, chosen
from postroom.domain.delivery import Stage
from postroom.ledger.acceptance import NewDelivery
from postroom.ledger.canaries import WAITS

_TEXT = "a part goes first; the rest waits for what comes of it"


def first_ones(deliveries: Sequence[NewDelivery], plan: Plan) -> list[NewDelivery]:
    """The deliveries in their order, held but for those that go first.

    Drawn by lot: were they the same again, a list that failed would pass the next time, for its
    dead addresses among them are suppressed by then.
    """
    able = [one.recipient_key for one in deliveries if one.stage is not Stage.REJECTED]
    first = set(random.sample(able, chosen(len(able), plan))) if able else set()
    return [
        one
        if one.stage is Stage.REJECTED or one.recipient_key in first
        else replace(one, stage=Stage.HELD, reason=WAITS, reason_text=_TEXT)
        for one in deliveries
    ]
