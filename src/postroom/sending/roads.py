"""Which road a mail takes: the first one whose declared capabilities carry it as it is."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from postroom.domain.content import Content
from postroom.providers.base import Account, Capabilities, Carrier
from postroom.providers.registry import PROVIDERS, Road
from postroom.sending.mime import is_invitation


@dataclass(frozen=True, slots=True)
class Way:
    """A road of one account."""

    account: Account
    road: Road
    carrier: Carrier
    from_domains: frozenset[str] = frozenset()
    """Those that are verified and aligned there; a simulated account asks for none."""
    recipients_max: int | None = None
    """Of one call, so that the account's limit can be kept; None: as many as the road takes."""

    def carries_from(self, domain: str) -> bool:
        """Whether the account may carry mail whose From domain is this one."""
        return self.account.simulated or is_carried(
            domain, self.account.provider, self.from_domains
        )


def is_carried(domain: str, provider: str, from_domains: Collection[str]) -> bool:
    """Whether a live account with these verified domains may carry mail from this one."""
    if domain in from_domains:
        return True
    if not PROVIDERS[provider].covers_subdomains:
        return False
    return any(domain.endswith(f".{parent}") for parent in from_domains)


def ways_of(
    accounts: Iterable[Account],
    carriers: "Carriers",
    from_domains: Mapping[int, frozenset[str]] | None = None,
) -> list[Way]:
    """Every road that these accounts are set up for, in order of preference.

    `from_domains` are those that an account carries, by its id.
    """
    carried = from_domains or {}
    return [
        Way(account, road, carriers.of(road), carried.get(account.id, frozenset()))
        for account in accounts
        for road in PROVIDERS[account.provider].roads
        if road.needs <= account.settings.keys()
    ]


class Carriers:
    """The carriers of one sender: one for each road, made when first needed."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._made: dict[str, Carrier] = {}

    def of(self, road: Road) -> Carrier:
        """The road's carrier."""
        if road.name not in self._made:
            self._made[road.name] = road.make(self._timeout_s)
        return self._made[road.name]

    async def close(self) -> None:
        """Let all their connections go."""
        for carrier in self._made.values():
            await carrier.close()


def fitting(content: Content | None, ways: Sequence[Way]) -> Iterator[Way]:
    """The ways that can carry a mail, the first the one to take; None is a mail born by SMTP."""
    return (way for way in ways if _carries(way.carrier.capabilities, content))


def _carries(road: Capabilities, content: Content | None) -> bool:
    if takes_finished(road):
        return True
    return content is not None and not _unusual(road, content)


def takes_finished(road: Capabilities) -> bool:
    """Whether the road leaves a finished mail alone, header recipients included."""
    return road.raw_mime and road.custom_envelope


def _unusual(road: Capabilities, content: Content) -> bool:
    """Whether the content asks for more than the road has."""
    shown_to_others = bool(content.cc or content.display_to) and not road.custom_envelope
    invites = any(map(is_invitation, content.attachments)) and not road.calendar_alternative
    own_id = content.message_id is not None and not road.own_message_id
    return shown_to_others or invites or own_id
