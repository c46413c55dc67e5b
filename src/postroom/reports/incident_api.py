"""The route of incidents: receiving domains that refuse an application's mail unusually often."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params.functions import Query

from postroom.domain.reason import REASONS
from postroom.ledger import said, spikes
from postroom.ledger.spikes import Spike
from postroom.reports import parameters
from postroom.reports.access import caller_with
from postroom.reports.docs import CURSOR, LIMIT, failing
from postroom.reports.instant import Instant

router = Router(tags=["reports"])


class SaidText(Schema):
    """Texts of one wording."""

    text: str
    """Without addresses; `#` stands for words with digits in them."""
    count: int
    """How often in the last days, about anybody's mail."""
    first_at: Instant
    last_at: Instant


class Incident(Schema):
    """One receiving domain that gives one reason unusually often."""

    domain: str
    reason: str
    advice: str
    began_at: Instant
    ended_at: Instant | None
    """Null: it goes on."""
    failed: int
    """Mails of all applications, of those of the hour in which it was noticed."""
    told: int
    """Mails to the domain of which anything final was told in that hour."""
    texts: list[SaidText]


class IncidentPage(Schema):
    """Incidents, the latest noticed first."""

    items: list[Incident]
    next_cursor: str | None


@router.get(
    "/incidents", response=IncidentPage, operation_id="list_incidents", openapi_extra=failing()
)
def list_incidents(
    request: HttpRequest,
    cursor: str | None = Query(None, description=CURSOR),
    limit: int = Query(parameters.PAGE, description=LIMIT),
) -> dict[str, Any]:
    """Receiving domains that refuse, or refused, your application's mail unusually often.

    Those of simulated mail for a key of kind `test`, of live mail for every other.
    """
    caller = caller_with(request, "read")
    size = parameters.page_size(limit)
    before = parameters.number_before(cursor)
    rows = spikes.listed(caller.application_id, caller.simulated, before, size + 1)
    more = parameters.cursor_of(rows[size - 1].id) if len(rows) > size else None
    return {"items": [_shown(one) for one in rows[:size]], "next_cursor": more}


def _shown(one: Spike) -> dict[str, Any]:
    return {
        "domain": one.domain,
        "reason": one.reason,
        "advice": REASONS[one.reason].advice,
        "began_at": one.began_at,
        "ended_at": one.ended_at,
        "failed": one.failed,
        "told": one.told,
        "texts": said.texts(one.simulated, one.domain, one.reason),
    }
