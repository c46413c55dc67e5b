"""Tells at once when mail is in doubt: by application and number, not by mail."""

import logging
from datetime import timedelta

from django.conf import settings

from postroom.ledger import in_doubt
from postroom.ledger.in_doubt import News

log = logging.getLogger(__name__)

EVERY_S = 2.0


def tell() -> int:
    """How many applications have mail in doubt that was not told of yet; each is told in the log,
    once in the doubt window."""
    found = in_doubt.news(timedelta(seconds=settings.POSTROOM_DOUBT_WINDOW_S))
    for one in found:
        log.error("ALARM application %s: %s", one.application, words(one))
    return len(found)


def words(one: News) -> str:
    """What is in doubt, since when, and what becomes of it, as sentences."""
    waiting = one.count - one.sent_again
    return (
        f"of {one.count:,} deliveries in {one.communications:,} communications it is not known,"
        f" the oldest since {one.since:%Y-%m-%d %H:%M} UTC, whether a provider took them."
        f" Where no proof is found, {one.sent_again:,} are sent again and {waiting:,} wait for a"
        " word."
    )
