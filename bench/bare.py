"""A bare endpoint on the same server: what a request costs before anything is done with it."""

import json

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI

api = NinjaAPI(docs_url=None)


@api.post("/messages")
def take(request: HttpRequest) -> HttpResponse:
    """202, the body parsed and forgotten."""
    json.loads(request.body)
    headers = {"Content-Length": "2"}
    return HttpResponse(b"{}", status=202, content_type="application/json", headers=headers)


urlpatterns = [path("v1/", api.urls)]
application = get_wsgi_application()
