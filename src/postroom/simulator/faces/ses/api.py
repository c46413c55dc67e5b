"""The HTTP face: Amazon SES v2 as far as sending needs it, the API before, the certificate.

docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, API_GetAccount.html and its
"Common Error Types", read 2026-11-24. Errors are named in a header, as in all Amazon's JSON APIs.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterable

from aiohttp import web

from postroom.simulator.faces.ses import classic
from postroom.simulator.faces.ses.mail import (
    Account,
    RefusedError,
    copies,
    new_message_id,
)
from postroom.simulator.faces.ses.sets import Sets
from postroom.simulator.faces.ses.signature import Credentials, Signed, UnsignedError, check
from postroom.simulator.faces.ses.topic import CERTIFICATE, Topic
from postroom.simulator.http_door import House, HttpDoor, NotTakenError

_STATUSES: dict[str, int] = {
    "NotFoundException": 404,
    "TooManyRequestsException": 429,
}
"""Of the vendor's errors that are not a plain 400."""

_TROUBLES: dict[int, tuple[str, str]] = {
    400: ("BadRequestException", "Bad request"),
    401: ("NotAuthorized", "You do not have permission to perform this action."),
    403: ("AccessDeniedException", "User is not authorized to perform: ses:SendEmail"),
    404: ("UnknownOperationException", ""),
    405: ("UnknownOperationException", ""),
    413: ("RequestEntityTooLargeException", "Request body too large"),
    429: ("TooManyRequestsException", "Maximum sending rate exceeded."),
    503: ("ServiceUnavailable", "Service is unable to handle request."),
}


class Api(HttpDoor):
    """The vendor's paths."""

    body_bytes_max = 41 * 1024 * 1024

    def __init__(
        self,
        name: str,
        keys: Credentials,
        topic: Topic,
        sets: Sets,
        verified_domains: Iterable[str] | None,
        house: House,
    ) -> None:
        super().__init__(name, house)
        self._keys, self._topic = keys, topic
        domains = None if verified_domains is None else tuple(verified_domains)
        self._account = Account(name, keys.region, sets, domains, house.seed, house.silent_share)

    def routes(self) -> list[web.RouteDef]:
        """Sending, what tells whether the keys are good, and the topic's own."""
        return [
            web.post("/v2/email/outbound-emails", self.send_email),
            web.post("/", self.send_classic),
            web.get("/v2/email/account", self.get_account),
            web.get(f"/sns/{CERTIFICATE}", self.certificate),
        ]

    async def certificate(self, request: web.Request) -> web.StreamResponse:
        """What the topic's notifications are checked with."""
        del request
        pem = self._topic.certificate(dt.datetime.now(dt.UTC))
        return web.Response(body=pem, content_type="application/x-pem-file")

    async def get_account(self, request: web.Request) -> web.StreamResponse:
        """The account's limits."""
        try:
            self._check(request, b"")
        except UnsignedError as error:
            return _error(403, error.name, str(error))
        quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0}
        told = {"SendQuota": quota, "SendingEnabled": True, "ProductionAccessEnabled": True}
        return web.json_response(told, headers=_request_id())

    async def send_email(self, request: web.Request) -> web.StreamResponse:
        """200 with the mail's id once the truth log has it on disk."""

        async def take(body: bytes) -> web.Response:
            return await self._take(request, body)

        return await self.call(request, take)

    async def send_classic(self, request: web.Request) -> web.StreamResponse:
        """The same by the API before it; other errors than its own are told as in v2."""

        async def take(body: bytes) -> web.Response:
            return await self._take_classic(request, body)

        return await self.call(request, take)

    async def _take_classic(self, request: web.Request, body: bytes) -> web.Response:
        message_id = new_message_id()
        try:
            self._check(request, body)
            action, call = classic.call_of(body)
            await self.house.office.take(copies(self._account, call, message_id))
        except UnsignedError as error:
            name = error.name.removesuffix("Exception")
            raise NotTakenError(_classic_error(403, name, str(error))) from error
        except RefusedError as error:
            name = error.name.replace("BadRequestException", "InvalidParameterValue")
            raise NotTakenError(_classic_error(400, name, str(error))) from error
        except classic.UnknownActionError as error:
            text = f"Could not find operation {error} for version 2010-12-01"
            raise NotTakenError(_classic_error(400, "InvalidAction", text)) from error
        except (ValueError, KeyError) as error:
            raise NotTakenError(_classic_error(400, "ValidationError", "")) from error
        told = classic.taken(action, message_id, str(uuid.uuid4()))
        return web.Response(text=told, content_type="text/xml")

    def in_trouble(self, status: int) -> web.Response:
        """In the vendor's shape."""
        name, text = _TROUBLES.get(status, ("InternalFailure", "Internal failure"))
        return _error(status, name, text)

    async def _take(self, request: web.Request, body: bytes) -> web.Response:
        message_id = new_message_id()
        try:
            self._check(request, body)
            call = json.loads(body)
            if not isinstance(call, dict):
                raise RefusedError("SerializationException", "The request is no object")
            await self.house.office.take(copies(self._account, call, message_id))
        except UnsignedError as error:
            raise NotTakenError(_error(403, error.name, str(error))) from error
        except RefusedError as error:
            status = _STATUSES.get(error.name, 400)
            raise NotTakenError(_error(status, error.name, str(error))) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise NotTakenError(_error(400, "SerializationException", "")) from error
        return web.json_response({"MessageId": message_id}, headers=_request_id())

    def _check(self, request: web.Request, body: bytes) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = Signed(request.method, request.raw_path, headers, body)
        check(self._keys, "ses", signed, dt.datetime.now(dt.UTC))


def _error(status: int, name: str, text: str) -> web.Response:
    headers = {"x-amzn-ErrorType": name, **_request_id()}
    return web.json_response({"message": text}, status=status, headers=headers)


def _classic_error(status: int, code: str, text: str) -> web.Response:
    told = classic.refused(code, text, str(uuid.uuid4()))
    return web.Response(status=status, text=told, content_type="text/xml")


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid.uuid4())}
