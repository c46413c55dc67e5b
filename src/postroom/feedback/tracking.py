"""Our own addresses in mail: the picture that tells of an open, and links that lead on.

Nothing is looked up: the address says all. So a link leads on while the ledger is away, and what it
tells is brought in later. All that is wrong with an address is the same 404.
"""

import logging
from base64 import b64decode
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from postroom.domain import tracking
from postroom.domain.forwarded import reader_address
from postroom.domain.problem import not_found, unavailable
from postroom.domain.tracking import Followed, Keys, Kind
from postroom.domain.web_address import location
from postroom.feedback.keeping import keeping
from postroom.ledger.clock import utc_now
from postroom.ledger.hit_intake import AGENT_CHARS_MAX, NewHit
from postroom.ledger.spool import SpoolUnavailable

log = logging.getLogger(__name__)

PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A GIF of one transparent dot."""


@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The picture."""
    keep(request, read(Kind.OPEN, token), Kind.OPEN)
    return HttpResponse(PICTURE, content_type="image/gif")


@require_safe
def clicked(request: HttpRequest, token: str) -> HttpResponse:
    """A redirect to what the link had."""
    followed = read(Kind.CLICK, token)
    where = location(followed.url)
    if where is None:
        raise _nothing_here()
    keep(request, followed, Kind.CLICK)
    return HttpResponse(status=302, headers={"Location": where})


def read(kind: Kind, token: str) -> Followed:
    """What the address says; the same 404 for all that is wrong."""
    followed = tracking.read(kind, token, _keys())
    if followed is None:
        raise _nothing_here()
    return followed


def _nothing_here() -> Exception:
    return not_found("there is nothing at this address")


@cache
def _keys() -> tuple[Keys, ...]:
    secrets = (settings.POSTROOM_SECRET_KEY, settings.POSTROOM_SECRET_KEY_PREVIOUS)
    return tuple(Keys.of(secret) for secret in secrets if secret)


def keep(request: HttpRequest, followed: Followed, kind: str) -> None:
    """Store the hit; where not even the spool takes it, an open or click is answered all the same.

    Raises Problem (503) where an unsubscribe would be lost.
    """
    hit = NewHit(
        kind,
        followed.message_id,
        followed.handover_id,
        followed.url,
        utc_now(),
        request.method or "",
        reader_address(
            request.META.get("REMOTE_ADDR", ""),
            request.headers.get("X-Forwarded-For", ""),
            settings.POSTROOM_PROXIES,
        ),
        _storable(request.headers.get("User-Agent", "")),
    )
    try:
        keeping().keep_hit(hit)
    except SpoolUnavailable as error:
        log.error("ALARM a hit is lost, neither stored nor spooled: %s", error)
        if kind not in (Kind.OPEN, Kind.CLICK):
            raise unavailable("This cannot be stored right now. Please try again.") from error


def _storable(agent: str) -> str:
    """Any bytes may come in a field; PostgreSQL keeps text without NUL."""
    text = agent[:AGENT_CHARS_MAX].replace("\x00", "\N{SYMBOL FOR NULL}")
    return text.encode("utf-8", "replace").decode()
