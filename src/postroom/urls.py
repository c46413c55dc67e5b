"""All routes of the web role, and its WSGI application."""

from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import HttpBearer

from postroom import __version__
from postroom.feedback import tracking, unsubscribe, webhook
from postroom.ledger import keys
from postroom.management import edge
from postroom.management.strict_query import strict_query
from postroom.reports import api as reports_api
from postroom.reports import health, incident_api, suppression_api
from postroom.submission import http as submission_http
from postroom.submission import http_docs
from postroom.submission.json_body import read_json


class KeyAuth(HttpBearer):
    """`Authorization: Bearer postroom_<kind>_<id>_<secret>`; `request.auth` is then the Caller."""

    def authenticate(self, request: HttpRequest, token: str) -> keys.Caller | None:  # noqa: ARG002
        """The caller, or None, which is answered with 401."""
        return keys.authenticate_now(token)


class StrictParser(Parser):
    """Reads bodies as the HTTP door does."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The JSON value; raises Problem."""
        return read_json(request.body)


class Api(NinjaAPI):
    """The API, whose description also names what stands beside it: submitting, and its body."""

    def get_openapi_schema(self, **named: Any) -> OpenAPISchema:
        """The document at `/v1/openapi.json`."""
        document = super().get_openapi_schema(**named)
        document["paths"] = http_docs.PATHS | document["paths"]
        document["components"].setdefault("schemas", {}).update(http_docs.schemas())
        return document


api = Api(
    title="Postroom",
    version=__version__,
    description="Submit mail, and know what became of each piece.",
    auth=KeyAuth(),
    parser=StrictParser(),
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="v1",
)
api.add_router("", submission_http.router)
api.add_router("", reports_api.router)
api.add_router("", suppression_api.router)
api.add_router("", incident_api.router)
edge.register(api)
api.add_decorator(strict_query, mode="operation")

urlpatterns = [
    path("v1/messages", submission_http.submit),
    path("v1/", api.urls),
    path("feedback/<str:account>/<str:secret>", webhook.receive),
    path("t/o/<str:token>.gif", tracking.opened),
    path("t/c/<str:token>", tracking.clicked),
    path("t/u/<str:token>", unsubscribe.page),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]

handler400 = "postroom.management.edge.bad_request"
handler404 = "postroom.management.edge.nothing_here"
handler500 = "postroom.management.edge.internal_error"

application = get_wsgi_application()
