"""Which of several accounts carries a delivery: by order or by weight, and by their health.

Chance is a hash of the delivery's id, so the same delivery is always given the same answer, and
everybody can compute the shares again.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import log
from uuid import UUID

_SCALE = 2.0**-64


def chance(delivery_id: UUID, account_id: int) -> float:
    """A number above 0, at most 1, that belongs to the two and to nothing else."""
    digest = blake2b(account_id.to_bytes(8) + delivery_id.bytes, digest_size=8).digest()
    return (int.from_bytes(digest) + 1) * _SCALE


def preference(
    delivery_id: UUID,
    accounts: Sequence[int],
    weights: Sequence[float] | None,
    shares: Mapping[int, float],
) -> tuple[int, ...]:
    """These accounts, the one that is to carry the delivery first.

    `shares`: the part of its usual mail that each carries by its health. One that carries nothing
    comes last: it is better than none. Where one drops out, the order of the others stays.
    """
    if weights is None:
        return _in_order(delivery_id, accounts, shares)
    return _by_weight(delivery_id, dict(zip(accounts, weights, strict=True)), shares)


def _in_order(
    delivery_id: UUID, accounts: Sequence[int], shares: Mapping[int, float]
) -> tuple[int, ...]:
    """Each account takes its share of what comes to it, and leaves the rest to the next."""
    most = max(shares[id] for id in accounts)

    def behind(id: int) -> int:
        if shares[id] >= most > 0:
            return 0
        return 2 if shares[id] == 0 else int(chance(delivery_id, id) > shares[id] / most)

    return tuple(sorted(accounts, key=behind))


def _by_weight(
    delivery_id: UUID, weights: Mapping[int, float], shares: Mapping[int, float]
) -> tuple[int, ...]:
    """Weighted rendezvous: the least of exponential waits, whose rates are the weights."""

    def wait(id: int) -> tuple[bool, float]:
        drawn = -log(chance(delivery_id, id))
        return (shares[id] == 0, drawn / weights[id] / (shares[id] or 1.0))

    return tuple(sorted(weights, key=wait))
