"""Which recipients go first: a part that stands for the whole list, whatever its order."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from postroom.domain.canary import Plan, chosen
from postroom.domain.delivery import Stage
from postroom.ledger.acceptance import NewDelivery
from postroom.ledger.canaries import WAITS

_TEXT = "a part goes first; the rest waits for what comes of it"


def first_ones(deliveries: Sequence[NewDelivery], plan: Plan) -> list[NewDelivery]:
    """The deliveries in their order, held but for those that go first."""
    able = [one for one in deliveries if one.stage is not Stage.REJECTED]
    able.sort(key=lambda one: sha256(one.recipient_key.encode("utf-8", "surrogatepass")).digest())
    first = {one.recipient_key for one in able[: chosen(len(able), plan)]} if able else set()
    return [
        one
        if one.stage is Stage.REJECTED or one.recipient_key in first
        else replace(one, stage=Stage.HELD, reason=WAITS, reason_text=_TEXT)
        for one in deliveries
    ]
