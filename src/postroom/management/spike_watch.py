"""Watches what receiving domains say: a reason that is suddenly given often is told, once."""

import logging

from postroom.domain.reason import REASONS
from postroom.ledger import spikes
from postroom.ledger.spikes import Spike

log = logging.getLogger(__name__)

EVERY_S = 20.0


def look() -> int:
    """How many spikes began or ended; each is told in the log, once."""
    began, ended = spikes.look()
    for one in began:
        log.error("ALARM receiver %s", sentence(one))
    for one in ended:
        log.warning("receiver %s: %s is rare again", one.domain, one.reason)
    return len(began) + len(ended)


def sentence(one: Spike) -> str:
    """What is said where, about whose mail, since when, and what to do."""
    return (
        f"{one.domain}: {one.reason} for {one.failed:,} of {one.told:,} mails of"
        f" {', '.join(one.applications)} since {one.began_at:%Y-%m-%d %H:%M} UTC."
        f" {REASONS[one.reason].advice}"
    )
