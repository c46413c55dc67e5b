"""The providers of the long tail: what Anymail's backend for each needs, and what it can do.

https://anymail.dev/en/stable/esps/ (django-anymail 15.2), read 2026-11-24. Keys are given to the
backend that makes one call, never to Django's settings: many accounts live in one process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.utils.module_loading import import_string

HANDOVER = "postroom_handover"
"""The name of our id in metadata, and the label before it in a tag."""


class Mark(Enum):
    """By what our hand-over id travels with a mail."""

    METADATA_OF_EACH = "merge_metadata"
    """Metadata for each recipient of a call."""
    METADATA = "metadata"
    """Metadata of a call."""
    TAG = "tags"
    """A tag of a call: `postroom_handover:<id>`."""


@dataclass(frozen=True, slots=True)
class Esp:
    """One provider that is reached by Anymail."""

    label: str
    """As the vendor writes itself."""
    module: str
    """Of its backend, in `anymail.backends`."""
    needs: Mapping[str, str]
    """Settings that an account must have, to the arguments of the backend."""
    mark: Mark
    copies: int = 1
    """Most recipients of one call of a mail without fields."""
    bytes: int = 20_000_000
    """Most of a mail: below every vendor's limit."""
    takes_headers: bool = True
    """Whether every account may set header fields."""
    tracks: bool = False
    """Whether a mail says if it is tracked; else the account does."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings that an account may have, to the arguments of the backend."""

    def backend(self, settings: Mapping[str, str], timeout_s: tuple[float, float]) -> Any:
        """Anymail's backend for one call; raises AnymailConfigurationError.

        The time-outs are those of connecting and of waiting.
        """
        arguments = {**self.needs, **self.more}
        known = {arguments[name]: value for name, value in settings.items() if name in arguments}
        make = import_string(f"anymail.backends.{self.module}.EmailBackend")
        return make(timeout=timeout_s, ignore_recipient_status=True, **known)


_URL = {"endpoint": "api_url"}

ESPS: dict[str, Esp] = {
    "mailtrap": Esp(
        "Mailtrap",
        "mailtrap",
        {"api_token": "api_token"},
        Mark.METADATA_OF_EACH,
        copies=500,
        more=_URL,
    ),
    "mailersend": Esp(
        "MailerSend",
        "mailersend",
        {"api_token": "api_token"},
        Mark.TAG,
        takes_headers=False,
        tracks=True,
        more=_URL,
    ),
    "mandrill": Esp(
        "Mandrill",
        "mandrill",
        {"api_key": "api_key"},
        Mark.METADATA_OF_EACH,
        copies=1_000,
        tracks=True,
        more=_URL,
    ),
    "postal": Esp("Postal", "postal", {"api_key": "api_key"} | _URL, Mark.TAG),
    "scaleway": Esp(
        "Scaleway",
        "scaleway",
        {"secret_key": "secret_key", "project_id": "project_id"},
        Mark.METADATA,
        more={"region": "region"} | _URL,
    ),
    "unisender_go": Esp(
        "Unisender Go",
        "unisender_go",
        {"api_key": "api_key"} | _URL,
        Mark.METADATA_OF_EACH,
        copies=500,
        tracks=True,
    ),
}
"""By provider. Batches only where a call keeps the metadata of each recipient apart and shows each
only his own address. MailerSend takes header fields from its largest plan alone."""
