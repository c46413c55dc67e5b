"""The Query API that was there before v2: forms in, XML out; `SendRawEmail` and `SendEmail`.

docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html and API_SendEmail.html, read
2026-11-24.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"
MAIL_BYTES_MAX = 10_000_000
"""Of this older API."""


class UnknownActionError(Exception):
    """The form asks for something that this face does not do."""


def call_of(body: bytes) -> tuple[str, dict[str, Any]]:
    """The action, and the call as `SendEmail` of v2 would have it."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    action = form.get("Action", "")
    call: dict[str, Any] = {
        "FromEmailAddress": form.get("Source"),
        "ConfigurationSetName": form.get("ConfigurationSetName"),
        "EmailTags": _tags(form),
    }
    if action == "SendRawEmail":
        call["Content"] = {"Raw": {"Data": form["RawMessage.Data"]}}
        call["Destination"] = {"ToAddresses": _members(form, "Destinations")}
    elif action == "SendEmail":
        call["Content"] = {"Simple": _message(form)}
        call["Destination"] = {
            name: _members(form, f"Destination.{name}")
            for name in ("ToAddresses", "CcAddresses", "BccAddresses")
        }
    else:
        raise UnknownActionError(action)
    return action, call


def taken(action: str, message_id: str, request_id: str) -> str:
    """The answer to a call that was taken."""
    return (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>'
        f"<MessageId>{escape(message_id)}</MessageId></{action}Result>"
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    )


def refused(code: str, text: str, request_id: str) -> str:
    """The answer to a call that was not."""
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(text)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _members(form: Mapping[str, str], name: str) -> list[str]:
    """A list, which a form writes as `name.member.1`, `name.member.2` ..."""
    found: list[str] = []
    while (value := form.get(f"{name}.member.{len(found) + 1}")) is not None:
        found.append(value)
    return found


def _tags(form: Mapping[str, str]) -> list[dict[str, str]]:
    tags: list[dict[str, str]] = []
    while (name := form.get(f"Tags.member.{len(tags) + 1}.Name")) is not None:
        tags.append({"Name": name, "Value": form[f"Tags.member.{len(tags) + 1}.Value"]})
    return tags


def _message(form: Mapping[str, str]) -> dict[str, Any]:
    bodies = {
        name: {"Data": form[f"Message.Body.{name}.Data"]}
        for name in ("Text", "Html")
        if f"Message.Body.{name}.Data" in form
    }
    return {"Subject": {"Data": form["Message.Subject.Data"]}, "Body": bodies}
