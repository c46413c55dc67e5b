"""What `/v1/openapi.json` says about the routes of the HTTP door."""

from typing import Any

from postroom.domain.address_hints import About
from postroom.domain.lane import Lane
from postroom.submission.message_body import (
    AttachmentBody,
    CanaryBody,
    MailboxBody,
    MessageBody,
    NotifyBody,
    RecipientBody,
    TrackBody,
)

_PROBLEMS = {
    400: "The body cannot be read: no JSON, not UTF-8, a key twice in one object.",
    401: "No key, or one that is unknown, revoked or run out.",
    403: "The key has not the scope (lane urgent needs its own), or may not send from this domain.",
    404: "There is no such message or communication, or it is another application's.",
    409: "The Idempotency-Key was used before with another body.",
    411: "The request came without Content-Length.",
    413: "The body is larger than this installation takes.",
    415: "The body is not application/json, or is compressed.",
    422: "A field or parameter is missing, unknown or not valid; `errors` names each.",
    503: "The ledger cannot be written right now. Nothing was accepted; repeat the request.",
}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {"description": _PROBLEMS[status], "content": content} for status in statuses
    }


_EXAMPLE_BODY = {
    "from": "Field Office <notices@corp.example>",
    "to": [
        "ann@corp.example",
        {"email": "bo@corp.example", "name": "Bo", "vars": {"first": "Bo"}, "ref": "staff-4711"},
    ],
    "subject": "New prices from Monday",
    "text": "The new price list is in force from Monday.",
    "communication": "price-change-2026-11",
    "lane": "normal",
}

_EXAMPLE_ANSWER = {
    "message_id": "019a5f0e-7a50-7c3e-9a51-1d7d0f2b6c11",
    "communication": "price-change-2026-11",
    "lane": "normal",
    "notes": [],
    "recipients": 2,
    "suppressed": 0,
    "duplicates": 0,
    "deliveries": [
        {
            "id": "019a5f0e-7a50-7d10-8f3e-0e5c6a7b8c9d",
            "email": "ann@corp.example",
            "state": "queued",
        },
        {
            "id": "019a5f0e-7a50-7d11-b1c2-3d4e5f607182",
            "email": "bo@corp.example",
            "state": "queued",
        },
    ],
    "hints": [],
}

_SUBMIT: dict[str, Any] = {
    "operationId": "submit_message",
    "tags": ["messages"],
    "security": [{"KeyAuth": []}],
    "summary": "Submit a message",
    "description": (
        "Accepts one message to 1 to 200,000 recipients and answers once it is on disk. "
        "An address that cannot be written to does not sink the others: it becomes a `rejected` "
        "delivery with its reason, and so does a recipient whose `vars` miss a field. "
        "Recipients that are the same mailbox get one delivery; `duplicates` counts the rest. "
        "Lane `urgent` needs the scope of that name, and a message with more recipients than are "
        "left of the application's urgent ones for this day goes as `normal`: `lane` and `notes` "
        "say so. "
        "With an `Idempotency-Key` the same body gives the same answer for as long as the "
        "message is in the ledger."
    ),
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "description": "Makes a repeat of this call safe.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/MessageBody"},
                "example": _EXAMPLE_BODY,
            }
        },
    },
    "responses": {
        "202": {
            "description": "On disk. `deliveries` lists them for up to 1,000 recipients.",
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Acceptance"},
                    "example": _EXAMPLE_ANSWER,
                }
            },
        },
        **_problems(400, 401, 403, 409, 411, 413, 415, 422, 503),
    },
}

PATHS: dict[str, Any] = {"/v1/messages": {"post": _SUBMIT}}
"""The routes that are plain views."""


def _move(verb: str, word: str, description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["message_id", word],
        "properties": {
            "message_id": {"type": "string", "format": "uuid"},
            word: {"type": "integer", "description": "Deliveries that this call moved."},
        },
    }
    return {
        "operation_id": f"{verb}_message",
        "summary": f"{verb.capitalize()} a message",
        "description": description,
        "openapi_extra": {
            "responses": {
                "200": {
                    "description": f"How many deliveries were {word}.",
                    "content": {"application/json": {"schema": schema}},
                },
                **_problems(401, 403, 404, 422, 503),
            }
        },
    }


CANCEL = _move(
    "cancel",
    "cancelled",
    "Withdraws what is not yet handed over. What a sender has in hand goes on.",
)
HOLD = _move("hold", "held", "What is not yet handed over waits until it is released or cancelled.")
RELEASE = _move(
    "release", "released", "Held deliveries go on, at their `send_at` if it is to come."
)


def _pausing(verb: str, description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["communication", "paused", "changed"],
        "properties": {
            "communication": {"type": "string"},
            "paused": {"type": "boolean", "description": "Whether it is paused now."},
            "changed": {"type": "boolean", "description": "Whether it was otherwise before."},
        },
    }
    return {
        "operation_id": f"{verb}_communication",
        "summary": f"{verb.capitalize()} a communication",
        "description": description,
        "openapi_extra": {
            "responses": {
                "200": {
                    "description": "How it stands.",
                    "content": {"application/json": {"schema": schema}},
                },
                **_problems(401, 403, 404, 422, 503),
            }
        },
    }


PAUSE = _pausing(
    "pause",
    "Nothing more of it is handed over until it is resumed; what was goes its way. Its mail is"
    " still accepted, and still expires.",
)
RESUME = _pausing(
    "resume", "It goes on. Where its application is paused too, it waits until that goes on."
)


def schemas() -> dict[str, Any]:
    """The named schemas that the routes above refer to."""
    template = "#/components/schemas/{model}"
    models = (AttachmentBody, CanaryBody, MailboxBody, NotifyBody, RecipientBody, TrackBody)
    named = {model.__name__: model.model_json_schema(ref_template=template) for model in models}
    message = MessageBody.model_json_schema(ref_template=template)
    message.pop("$defs", None)
    message["properties"]["to"] = {"$ref": "#/components/schemas/Recipients"}
    return {
        **named,
        "MessageBody": message,
        "Recipients": {
            "type": "array",
            "minItems": 1,
            "maxItems": 200_000,
            "items": {
                "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/RecipientBody"}]
            },
        },
        "Acceptance": _ACCEPTANCE,
        "Problem": _PROBLEM,
    }


_ACCEPTANCE = {
    "type": "object",
    "required": list(_EXAMPLE_ANSWER),
    "properties": {
        "message_id": {"type": "string", "format": "uuid"},
        "communication": {"type": ["string", "null"]},
        "lane": {
            "type": "string",
            "enum": [lane.label for lane in Lane],
            "description": "In which it goes, also where another was asked for.",
        },
        "notes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What becomes otherwise than was asked for, and what the From domain "
            "of a broadcast lacks, in sentences.",
        },
        "recipients": {"type": "integer", "description": "Deliveries of this message."},
        "suppressed": {"type": "integer", "description": "Not to be sent: see suppressions."},
        "duplicates": {"type": "integer", "description": "Recipients that were named before."},
        "deliveries": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "email", "state"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "email": {"type": "string"},
                    "state": {"type": "string"},
                },
            },
        },
        "hints": {
            "type": "array",
            "description": "What is odd about listed addresses; mail to them goes all the same.",
            "items": {
                "type": "object",
                "required": ["email", "about", "suggestion"],
                "properties": {
                    "email": {"type": "string"},
                    "about": {"type": "string", "enum": [str(about) for about in About]},
                    "suggestion": {"type": ["string", "null"]},
                },
            },
        },
    },
}

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457, with the wrong fields in `errors`.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:postroom:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
