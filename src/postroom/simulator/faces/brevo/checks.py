"""What the vendor refuses in a call, with its error code, and what its template language does.

developers.brevo.com: reference, Send a transactional email; docs, How it works; read 2026-11-24.
Texts are the vendor's where its pages show them; where they show only the rule, they state it.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

from postroom.simulator.addresses import is_address, refused_among

VERSIONS_MAX = 1000

_EXPRESSION = re.compile(r"\{\{\s{0,20}([^{}]{0,200})\}\}|\{%[^{}]{0,200}%\}")


class Flaw(NamedTuple):
    """Why a call is not taken."""

    message: str
    code: str = "invalid_parameter"


def flaws(call: object, verified: Container[str] | None, seed: int) -> Iterator[Flaw]:
    """All that is wrong with the call."""
    if not isinstance(call, dict):
        yield Flaw("Input must be a valid JSON object", "bad_request")
        return
    yield from _sender(call.get("sender"), verified)
    versions = call.get("messageVersions")
    if versions is None:
        yield from _people(call, "", seed)
        versions = [{}]
    if not isinstance(versions, list) or not all(isinstance(each, dict) for each in versions):
        yield Flaw("messageVersions should be an array of objects")
        return
    if not 0 < len(versions) <= VERSIONS_MAX:
        yield Flaw(f"messageVersions has 1 to {VERSIONS_MAX} versions")
    if call.get("messageVersions") is not None:
        for number, version in enumerate(versions):
            yield from _people(version, f"messageVersions[{number}].", seed)
    yield from _texts(call, versions)
    yield from _attachments(call.get("attachment") or [])


def _sender(sender: object, verified: Container[str] | None) -> Iterator[Flaw]:
    address = sender.get("email") if isinstance(sender, dict) else None
    if not address:
        yield Flaw("sender is missing", "missing_parameter")
    elif not is_address(address):
        yield Flaw("valid sender email is required")
    elif verified is not None and address.rpartition("@")[2] not in verified:
        yield Flaw("Sending has been rejected because the sender you used is not valid.")


def _people(version: Mapping[str, Any], where: str, seed: int) -> Iterator[Flaw]:
    if not version.get("to"):
        yield Flaw(f"{where}to is missing", "missing_parameter")
    for name in ("to", "cc", "bcc"):
        found = version.get(name) or []
        people = found if isinstance(found, list) else [found]
        addresses = [each.get("email") if isinstance(each, dict) else None for each in people]
        if not all(map(is_address, addresses)) or refused_among(map(str, addresses), seed):
            yield Flaw(f"email is not valid in {where}{name}")


def _texts(call: Mapping[str, Any], versions: list[dict[str, Any]]) -> Iterator[Flaw]:
    for version in versions:
        told = {**call, **version}
        if not told.get("subject"):
            yield Flaw("subject is missing", "missing_parameter")
        if not told.get("htmlContent") and not told.get("textContent"):
            yield Flaw(
                "Either htmlContent, textContent or templateId is required", "missing_parameter"
            )
        headers = told.get("headers") or {}
        if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
            yield Flaw("headers should be an object of texts")


def _attachments(attachments: object) -> Iterator[Flaw]:
    for each in attachments if isinstance(attachments, list) else [attachments]:
        if not isinstance(each, dict) or not each.get("name") or "." not in each["name"]:
            yield Flaw("attachment name with its extension is missing", "missing_parameter")
            continue
        try:
            b64decode(each.get("content") or "", validate=True)
        except (NotBase64, ValueError, TypeError):
            yield Flaw("attachment content is not base64")


def filled(text: str, params: Mapping[str, Any]) -> str:
    """The text as the template language leaves it: an unknown expression becomes nothing."""

    def value(match: re.Match[str]) -> str:
        name = (match[1] or "").strip()
        return str(params.get(name.removeprefix("params."), "")) if "params." in name else ""

    return _EXPRESSION.sub(value, text) if "{" in text else text
