"""The suppression routes: see, add, and lift, for the whole organisation.

A key of kind `test` sees and changes simulated suppressions, every other key live ones.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.params.functions import Query

from postroom.domain.problem import FieldError, invalid, invalid_field, not_found
from postroom.domain.suppression import ASKED
from postroom.ledger import reading, suppressions
from postroom.ledger.keys import Caller
from postroom.ledger.suppressions import NewSuppression, Standing
from postroom.reports import parameters, suppression_shapes
from postroom.reports.access import caller_with
from postroom.reports.docs import CURSOR, LIMIT, failing

router = Router(tags=["suppressions"])

WORDS_CHARS_MAX = 1000


class NewSuppressionBody(Schema, extra="forbid"):
    """A person's decision not to write to an address any more."""

    address: str
    reason: str | None = None
    """Why, in a person's words, for whoever asks later."""
    kind: Literal["transactional", "marketing"] | None = None
    """Only mail of this kind; null: all."""
    applies_to: Literal["organisation", "application"] = "organisation"
    """Everybody's mail, or that of your application alone."""


class LiftBody(Schema, extra="forbid"):
    """Why a suppression is lifted."""

    reason: str


@router.get(
    "/suppressions",
    response=suppression_shapes.SuppressionPage,
    operation_id="list_suppressions",
    openapi_extra=failing(),
)
def list_suppressions(
    request: HttpRequest,
    address: str | None = Query(None, description="Only those of this address."),
    cursor: str | None = Query(None, description=CURSOR),
    limit: int = Query(parameters.PAGE, description=LIMIT),
) -> dict[str, Any]:
    """Suppressions newest first, those that stand and those that were lifted.

    With `address`, each also says what was not sent because of it.
    """
    caller = caller_with(request, "read")
    size = parameters.page_size(limit)
    rows = suppressions.listed(
        address_key=parameters.recipient_key("address", address),
        simulated=caller.simulated,
        application_id=caller.application_id,
        before_id=parameters.number_before(cursor),
        limit=size + 1,
    )
    more = parameters.cursor_of(rows[size - 1].id) if len(rows) > size else None
    show = _shown if address is None else _explained
    items = show(caller, rows[:size])
    return {"items": items, "next_cursor": more}


@router.post(
    "/suppressions",
    response={201: suppression_shapes.Suppression},
    operation_id="add_suppression",
    openapi_extra=failing(400),
)
def add_suppression(request: HttpRequest, body: NewSuppressionBody) -> Status[dict[str, Any]]:
    """Stop all mail to an address; where a suppression stands already, that one stays."""
    caller = caller_with(request, "manage")
    key = parameters.recipient_key("address", body.address) or ""
    note = None if body.reason is None else _words("reason", body.reason)
    own = body.applies_to == "application"
    stands = suppressions.add(
        NewSuppression(
            caller.simulated,
            key,
            ASKED,
            "person",
            note,
            application_id=caller.application_id if own else None,
            kind=body.kind,
        )
    )
    return Status(201, _explained(caller, [stands])[0])


@router.delete(
    "/suppressions/{int:suppression_id}",
    response=suppression_shapes.Suppression,
    operation_id="lift_suppression",
    openapi_extra=failing(400, 404),
)
def lift_suppression(
    request: HttpRequest,
    suppression_id: int,
    reason: str | None = Query(None, description="Why; in the query or in the body."),
    body: LiftBody | None = None,
) -> dict[str, Any]:
    """Let mail to the address go again. A suppression that is lifted already stays as it is."""
    caller = caller_with(request, "manage")
    why = _words("reason", body.reason if body else reason)
    found = suppressions.by_id(suppression_id) if suppression_id < 1 << 63 else None
    others = found is not None and found.application_id not in (None, caller.application_id)
    if found is None or others or found.simulated is not caller.simulated:
        raise not_found("there is no such suppression")
    suppressions.lift(suppression_id, why)
    return _explained(caller, [suppressions.by_id(suppression_id) or found])[0]


def _words(field: str, text: str | None) -> str:
    """What a person wrote, without the space around it."""
    words = (parameters.plain(field, text) or "").strip()
    if not words:
        detail = f"{field}: say why; people will ask"
        raise invalid(detail, FieldError(field, "is missing or empty"))
    if len(words) > WORDS_CHARS_MAX:
        raise invalid_field(field, f"is longer than {WORDS_CHARS_MAX} characters")
    return words


def _shown(caller: Caller, rows: Sequence[Standing]) -> list[dict[str, Any]]:
    """The rows; a delivery of another application is not named."""
    named = [id for row in rows for id in (row.delivery_id, row.lifting_delivery_id)]
    ids = [id for id in named if id is not None]
    own: frozenset[UUID] = reading.visible(ids, (caller.application_id,))
    now = datetime.now(UTC)
    return [suppression_shapes.suppression(row, own, now) for row in rows]


def _explained(caller: Caller, rows: Sequence[Standing]) -> list[dict[str, Any]]:
    """The rows, all of one address, with what was not sent because of each."""
    stopped = suppressions.not_sent(rows, caller.application_id)
    return [one | {"not_sent": asdict(stopped[one["id"]])} for one in _shown(caller, rows)]
