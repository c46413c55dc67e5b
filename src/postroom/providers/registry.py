"""The providers: each one's roads in order of preference, and how its notifications are read."""

from collections.abc import Callable
from dataclasses import dataclass

from postroom.providers import sendgrid, smtp
from postroom.providers.base import Carrier, Receiver


@dataclass(frozen=True, slots=True)
class Road:
    """One way to hand mail to a provider."""

    name: str
    """Stands in the record of every attempt."""
    make: Callable[[float], Carrier]
    """A carrier whose calls end after so many seconds."""
    needs: frozenset[str]
    """Settings that an account must have for this road."""
    steering: frozenset[bytes] = frozenset()
    """Lower-case header names by which a mail would steer our account: left out."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What we know of one provider."""

    roads: tuple[Road, ...]
    receiver: Receiver | None
    """None: it sends no notifications."""


PROVIDERS: dict[str, Provider] = {
    "sendgrid": Provider(
        roads=(
            Road(
                "sendgrid",
                sendgrid.SendGridCarrier,
                frozenset({"api_key"}),
            ),
            Road(
                "sendgrid_smtp",
                lambda timeout_s: smtp.SmtpCarrier(smtp.sendgrid_header, timeout_s),
                frozenset({"smtp_host"}),
                steering=frozenset({b"x-smtpapi"}),
            ),
        ),
        receiver=sendgrid.SendGridReceiver(),
    ),
    "smtp": Provider(
        roads=(
            Road(
                "smtp",
                lambda timeout_s: smtp.SmtpCarrier(smtp.relay_header, timeout_s),
                frozenset({"smtp_host"}),
            ),
        ),
        receiver=None,
    ),
}
