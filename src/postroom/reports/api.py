"""The reading routes: messages, deliveries with their evidence, communications and reports."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from ninja.params.functions import Query

from postroom.domain.problem import Problem, not_found
from postroom.ledger import evidence, figures, overview, reading, timeline
from postroom.ledger.clock import utc_now
from postroom.ledger.wanted import Wanted
from postroom.reports import (
    delivery_shapes,
    evidence_shapes,
    forecast,
    message_shapes,
    parameters,
    report_shapes,
    waiting,
)
from postroom.reports.access import readable
from postroom.reports.docs import CURSOR, INSTANT, LIMIT, failing

router = Router(tags=["reports"])


@router.get(
    "/messages/{uuid:message_id}",
    response=message_shapes.Message,
    operation_id="get_message",
    openapi_extra=failing(404),
)
def get_message(request: HttpRequest, message_id: UUID) -> dict[str, Any]:
    """One message, with its deliveries counted by state and by answer."""
    found = overview.message(message_id, readable(request))
    if found is None:
        raise _no("message")
    return message_shapes.message(found)


@router.get(
    "/messages/{uuid:message_id}/deliveries",
    response=delivery_shapes.DeliveryPage,
    operation_id="list_message_deliveries",
    openapi_extra=failing(404),
)
def list_message_deliveries(
    request: HttpRequest,
    message_id: UUID,
    state: str | None = Query(None, description="Only deliveries in this state now."),
    reason: str | None = Query(None, description="Only deliveries with this reason now."),
    cursor: str | None = Query(None, description=CURSOR),
    limit: int = Query(parameters.PAGE, description=LIMIT),
) -> dict[str, Any]:
    """The deliveries of one message, newest first."""
    applications = readable(request)
    wanted = Wanted(
        applications,
        message_id=message_id,
        state=parameters.state(state),
        reason=parameters.plain("reason", reason),
    )
    page = _page(wanted, cursor, limit, None)
    if not page["items"] and overview.message(message_id, applications) is None:
        raise _no("message")
    return page


@router.get(
    "/deliveries",
    response=delivery_shapes.DeliveryPage,
    operation_id="list_deliveries",
    openapi_extra=failing(),
)
def list_deliveries(
    request: HttpRequest,
    recipient: str | None = Query(None, description="An address, in any spelling of its case."),
    communication: str | None = Query(None, description="Its name."),
    header_message_id: str | None = Query(
        None, description="The mail's Message-ID, as written, with `<` and `>`."
    ),
    mail_from: str | None = Query(None, description="The envelope's sender, as written."),
    since: str | None = Query(None, description=f"Accepted at or after. {INSTANT}"),
    until: str | None = Query(None, description=f"Accepted before. {INSTANT}"),
    as_of: str | None = Query(None, description=f"As known then; default: now. {INSTANT}"),
    cursor: str | None = Query(None, description=CURSOR),
    limit: int = Query(parameters.PAGE, description=LIMIT),
) -> dict[str, Any]:
    """Did it reach X? The application's deliveries, newest first."""
    wanted = Wanted(
        readable(request),
        recipient_key=parameters.recipient_key("recipient", recipient),
        communication=parameters.communication(communication),
        header_message_id=parameters.plain("header_message_id", header_message_id),
        mail_from=parameters.plain("mail_from", mail_from),
        since=parameters.instant("since", since),
        until=parameters.instant("until", until),
    )
    return _page(wanted, cursor, limit, as_of)


@router.get(
    "/deliveries/{uuid:delivery_id}",
    response=delivery_shapes.DeliveryWithTimeline,
    operation_id="get_delivery",
    openapi_extra=failing(404),
)
def get_delivery(request: HttpRequest, delivery_id: UUID) -> dict[str, Any]:
    """One delivery: its verdict with reason and advice, and everything that led to it."""
    found = reading.delivery(delivery_id, readable(request))
    if found is None:
        raise _no("delivery")
    waits_for = waiting.slow_receiver(found, utc_now())
    return delivery_shapes.with_timeline(found, timeline.timeline(delivery_id), waits_for)


@router.get(
    "/deliveries/{uuid:delivery_id}/evidence",
    response=evidence_shapes.Evidence,
    operation_id="get_evidence",
    openapi_extra=failing(404),
)
def get_evidence(request: HttpRequest, delivery_id: UUID) -> dict[str, Any]:
    """The bytes behind the verdict: this delivery's own, with the SHA-256 of each whole."""
    is_readable = reading.delivery(delivery_id, readable(request)) is not None
    found = evidence.evidence(delivery_id) if is_readable else None
    if found is None:
        raise _no("delivery")
    return evidence_shapes.evidence(delivery_id, found)


@router.get(
    "/communications",
    response=message_shapes.CommunicationPage,
    operation_id="list_communications",
    openapi_extra=failing(),
)
def list_communications(
    request: HttpRequest,
    cursor: str | None = Query(None, description=CURSOR),
    limit: int = Query(parameters.PAGE, description=LIMIT),
) -> dict[str, Any]:
    """The application's communications, the latest made first."""
    size = parameters.page_size(limit)
    rows = overview.communications(
        applications=readable(request),
        before=parameters.number_before(cursor),
        limit=size + 1,
    )
    return {"items": rows[:size], "next_cursor": _next(rows, size)}


@router.get(
    "/communications/{name}/report",
    response=report_shapes.Report,
    operation_id="get_report",
    openapi_extra=failing(404),
)
def get_report(
    request: HttpRequest,
    name: str,
    as_of: str | None = Query(None, description=f"As known then; default: now. {INSTANT}"),
    simulated: bool | None = Query(
        None, description="Default: live deliveries where there are any, else simulated ones."
    ),
) -> dict[str, Any]:
    """What one communication achieved: every intended recipient in exactly one bucket."""
    (application_id,) = readable(request)
    at = parameters.instant("as_of", as_of)
    made = (
        figures.report(application_id, name, as_of=at, simulated=simulated)
        if parameters.is_communication(name)
        else None
    )
    if made is None:
        raise _no("communication")
    shown = report_shapes.report(made)
    if at is None:
        found = forecast.of_communication(application_id, name, made.simulated, made.as_of)
        shown["forecast"] = report_shapes.forecast(found)
    return shown


def _page(wanted: Wanted, cursor: str | None, limit: int, as_of: str | None) -> dict[str, Any]:
    size = parameters.page_size(limit)
    found = reading.find(
        wanted,
        before=parameters.uuid_before(cursor),
        limit=size + 1,
        as_of=parameters.instant("as_of", as_of),
    )
    return {
        "items": [delivery_shapes.delivery(row) for row in found.items[:size]],
        "next_cursor": _next(found.items, size),
        "as_of": found.as_of,
    }


def _next(rows: list[Any], size: int) -> str | None:
    """The cursor of the next page; None: this was the last one."""
    return parameters.cursor_of(rows[size - 1].id) if len(rows) > size else None


def _no(what: str) -> Problem:
    return not_found(f"there is no such {what}")
