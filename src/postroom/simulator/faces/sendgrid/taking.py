"""From an accepted Mail Send request to one copy per recipient."""

import secrets
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from postroom.simulator.addresses import Fate, decide
from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.sendgrid.flaws import Flaw
from postroom.simulator.faces.sendgrid.rendering import Filler
from postroom.simulator.links import first_link
from postroom.simulator.truth import digest_of_content, digest_of_rest


def new_message_id() -> str:
    """22 characters, as the vendor's X-Message-Id."""
    return secrets.token_urlsafe(16)


def refused_recipients(payload: Mapping[str, Any], seed: int) -> list[Flaw]:
    """The recipients whose address makes the provider refuse the whole call."""
    return [
        Flaw("Does not contain a valid address.", f"personalizations.{number}.{name}.{at}.email")
        for number, block in enumerate(payload["personalizations"])
        for name in ("to", "cc", "bcc")
        for at, person in enumerate(block.get(name, ()))
        if person["email"][:6].lower() == "refuse"
        and decide(person["email"], seed).fate is Fate.REFUSE
    ]


class Request:
    """One accepted call."""

    def __init__(self, face: str, payload: dict[str, Any], seed: int, silent_share: float) -> None:
        self._face, self._payload = face, payload
        self._seed, self._silent_share = seed, silent_share
        self._types = [part["type"] for part in payload["content"]]
        self._texts = [part["value"] for part in payload["content"]]
        self._link = first_link(self._texts) or ""
        self._rest = digest_of_rest(payload.get("attachments", []))
        self._fillers: dict[tuple[str, tuple[str, ...]], Filler] = {}
        tracking = payload.get("tracking_settings", {})
        self._track_opens = _enabled(tracking, "open_tracking")
        self._track_clicks = _enabled(tracking, "click_tracking")

    def copies(self, message_id: str, now: float) -> list[Copy]:
        """One for each recipient, in the order of the call."""
        found: list[Copy] = []
        for block in self._payload["personalizations"]:
            shared = self._shared(block)
            for email in _emails(block):
                found.append(
                    Copy(
                        face=self._face,
                        message_id=message_id,
                        number=len(found),
                        door="http",
                        recipient=email,
                        header_message_id=f"<{message_id}@geopod-ismtpd-1>",
                        taken_at=now,
                        starts_at=max(now, block.get("send_at", self._payload.get("send_at", 0))),
                        **shared,
                    )
                )
        return found

    def _filled(self, block: Mapping[str, Any]) -> list[str]:
        """Subject, link to follow, and contents for this personalization."""
        subject = block.get("subject") or self._payload["subject"]
        values = block.get("substitutions") or {}
        key = (subject, tuple(values))
        filler = self._fillers.get(key)
        if filler is None:
            filler = self._fillers[key] = Filler(key[1], [subject, self._link, *self._texts])
        return filler.fill(values)

    def _shared(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """What all recipients of one personalization have in common."""
        subject, link, *texts = self._filled(block)
        contents = list(zip(self._types, texts, strict=True))
        args = {**self._payload.get("custom_args", {}), **block.get("custom_args", {})}
        return {
            "sender": self._payload["from"]["email"],
            "to": tuple(person["email"] for person in block["to"]),
            "cc": tuple(person["email"] for person in block.get("cc", ())),
            "digest": digest_of_content(subject, contents, self._rest),
            "seed": self._seed,
            "handover": args.get(HANDOVER_KEY),
            "metadata": args,
            "tags": tuple(self._payload.get("categories", ())),
            "url": (unescape(link) if self._types[-1] == "text/html" else link) or None,
            "track_opens": self._track_opens,
            "track_clicks": self._track_clicks,
            "silent_share": self._silent_share,
        }


def _emails(block: Mapping[str, Any]) -> Iterator[str]:
    for name in ("to", "cc", "bcc"):
        for person in block.get(name, ()):
            yield person["email"]


def _enabled(tracking: Mapping[str, Any], name: str) -> bool:
    """Tracking is on unless the call says otherwise, as in a new account."""
    return bool(tracking.get(name, {}).get("enable", True))
