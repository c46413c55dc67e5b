"""`/healthz`, `/readyz` and `/metrics`: for those who watch over this installation."""

import ipaddress
import json
from datetime import UTC, datetime, timedelta
from itertools import chain

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from postroom.domain.problem import Problem, not_found, unavailable
from postroom.ledger import (
    account_health,
    gauges,
    guard_cases,
    incidents,
    keys,
    tallies,
    urgent,
)
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.spool import spool
from postroom.reports.metrics import guard_samples, rendered, samples, urgent_samples


@require_GET
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers; the database is not asked."""
    return JsonResponse({"status": "alive"})


@require_GET
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when a submission could be stored, else 503."""
    try:
        is_ready = gauges.is_migrated()
    except LedgerUnavailable:
        return _failing(unavailable("the ledger cannot be reached"))
    if not is_ready:
        return _failing(unavailable("the database is not migrated"))
    return JsonResponse({"status": "ready"})


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for this machine, and for a key with the scope manage; else 404.

    The counters name accounts and tell how much is sent: nothing for strangers.
    """
    if not (_is_local(request) or _may_manage(request)):
        return _failing(not_found("there is nothing at this address"))
    try:
        queue = samples(
            gauges.waiting(),
            spool().held(),
            gauges.stopped_accounts(),
            {one.account for one in incidents.standing()},
            account_health.shares(timedelta(seconds=settings.POSTROOM_FAILOVER_REST_S)),
            tallies.totals(),
            datetime.now(UTC),
        )
        guarded = guard_samples(case.level for case in guard_cases.standing())
        shown = chain(queue, urgent_samples(urgent.used_today()), guarded)
    except LedgerUnavailable:
        return _failing(unavailable("the ledger cannot be reached"))
    return HttpResponse(rendered(shown), content_type="text/plain; version=0.0.4; charset=utf-8")


def _is_local(request: HttpRequest) -> bool:
    """From this machine, and not passed on by a proxy that runs on it."""
    passed_on = "Forwarded" in request.headers or "X-Forwarded-For" in request.headers
    try:
        peer = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    mapped = getattr(peer, "ipv4_mapped", None)
    return (mapped or peer).is_loopback and not passed_on


def _may_manage(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = keys.authenticate(token.strip()) if scheme.lower() == "bearer" else None
    return caller is not None and caller.may("manage")


def _failing(problem: Problem) -> HttpResponse:
    return HttpResponse(
        json.dumps(problem.body()),
        status=problem.status,
        content_type="application/problem+json",
        headers=dict(problem.headers),
    )
