"""Mail that comes back to the SMTP door: which addresses are ours, and who is to have it.

The wiring between two stations: the door recognises and takes the mail, feedback reads it later.
A return path's mail becomes a receipt of the account whose hand-over the path names. What a
person writes there goes on to whoever wrote to them; what comes to `postmaster@` and `abuse@`
goes to the mailbox that is set for it.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from postroom.domain.address import parse_address
from postroom.domain.return_path import handover_of, key_of
from postroom.ledger import accounts, keys, returned
from postroom.ledger.intake import NewReceipt
from postroom.ledger.returned import Origin
from postroom.ledger.writer import store_receipt
from postroom.management import passing_on
from postroom.providers.bounces import HANDOVER, RECIPIENT, is_personal
from postroom.submission.smtp_returns import Destination, NoSuchAddress, Returned

CACHE_S = 5.0
"""How long the domains are remembered: the tables are not asked for every recipient."""
COMMIT_TIMEOUT_S = 60.0
_SEARCHED_BYTES_MAX = 256 * 1024
_PATH = re.compile(rb"b-[a-zA-Z2-7]{44}@[a-zA-Z0-9.-]{1,253}")
_PEOPLE = frozenset({"postmaster", "abuse"})
"""RFC 5321, section 4.5.1, and RFC 2142, section 4: addresses that every mail domain has."""


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """A return path of ours, verified."""

    handover_id: UUID
    origin: Origin
    domain: str


@dataclass(frozen=True, slots=True)
class Staff:
    """`postmaster@` or `abuse@` of a domain of ours."""

    domain: str


@dataclass(slots=True)
class _Domains:
    until: float = 0.0
    returning: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Return-path domains, each with its accounts."""
    sending: frozenset[str] = frozenset()


class ReturnedMail:
    """What the SMTP door is handed by the start-up of its role."""

    def __init__(self) -> None:
        self._known = _Domains()

    def expected(self) -> bool:
        """Whether some account has return paths, or a mailbox is set for the postmaster."""
        return bool(self._domains().returning) or settings.POSTROOM_POSTMASTER is not None

    def find(self, address: str) -> Destination | None:
        """Where the address leads; raises NoSuchAddress, and LedgerUnavailable."""
        local, _, domain = address.rpartition("@")
        local, domain = (local or domain).lower(), domain.lower().rstrip(".")
        known = self._domains()
        bare = "@" not in address and local == "postmaster"
        ours = bare or domain in known.returning or domain in known.sending
        if ours and local in _PEOPLE and settings.POSTROOM_POSTMASTER:
            return Staff(self._any_domain(settings.POSTROOM_POSTMASTER) if bare else domain)
        if domain not in known.returning:
            return None
        return self._return_path(local, domain, known.returning[domain])

    def _return_path(self, local: str, domain: str, account_ids: frozenset[int]) -> ReturnPath:
        handover_id = handover_of(local, return_path_keys())
        origin = returned.origin_of(handover_id) if handover_id else None
        if handover_id is None or origin is None or origin.account_id not in account_ids:
            raise NoSuchAddress
        return ReturnPath(handover_id, origin, domain)

    def take(self, mail: Returned) -> None:
        """Returns once the mail is on disk: as a receipt, or on its way to a person."""
        for destination in mail.destinations:
            if isinstance(destination, ReturnPath):
                self._keep(mail, destination)
            elif isinstance(destination, Staff):
                for path in self._reported(mail.data):
                    self._keep(mail, path)
                passing_on.to_staff(mail.data, destination.domain)

    def _keep(self, mail: Returned, path: ReturnPath) -> None:
        headers = {
            HANDOVER: str(path.handover_id),
            RECIPIENT: path.origin.recipient,
            "mail-from": mail.mail_from,
            "peer": mail.peer_ip,
        }
        receipt = NewReceipt(path.origin.account_id, datetime.now(UTC), headers, mail.data)
        store_receipt(receipt).result(COMMIT_TIMEOUT_S)
        if mail.mail_from and is_personal(mail.data):
            kind = "test" if path.origin.simulated else "live"
            passing_on.reply(mail.data, path.origin, path.domain, kind)

    def _reported(self, data: bytes) -> Iterator[ReturnPath]:
        """The return path in a feedback report: those go to where a mailbox operator was told."""
        if b"message/feedback-report" not in data:
            return
        for named in sorted(set(_PATH.findall(data[:_SEARCHED_BYTES_MAX])))[:1]:
            path = self._verified(named.decode("ascii"))
            if path is not None:
                yield path

    def _verified(self, address: str) -> ReturnPath | None:
        try:
            found = self.find(address)
        except NoSuchAddress:
            return None
        return found if isinstance(found, ReturnPath) else None

    def _any_domain(self, mailbox: str) -> str:
        """A domain of ours to pass mail on from; where we have none, that of the mailbox."""
        known = self._domains()
        return min([*known.returning, *known.sending], default=parse_address(mailbox).domain)

    def _domains(self) -> _Domains:
        if time.monotonic() > self._known.until:
            returning: dict[str, set[int]] = {}
            for row in accounts.all_accounts():
                domain = row.settings.get("return_path_domain")
                if row.provider == "smtp" and domain:
                    returning.setdefault(domain.lower(), set()).add(row.id)
            self._known = _Domains(
                time.monotonic() + CACHE_S,
                {domain: frozenset(ids) for domain, ids in returning.items()},
                keys.sender_domains(),
            )
        return self._known


def return_path_keys() -> list[bytes]:
    """The keys whose return paths are known: of the secret, and of the one before it."""
    secrets = (settings.POSTROOM_SECRET_KEY, settings.POSTROOM_SECRET_KEY_PREVIOUS)
    return [key_of(secret) for secret in secrets if secret]
