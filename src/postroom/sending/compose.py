"""From claimed deliveries to calls that are ready to be made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from postroom.domain import feedback_id
from postroom.ledger.ids import uuid7_like
from postroom.ledger.queue import Claimed
from postroom.providers.base import Call, CannotCarry, Copy, Mail, RawMail, Segment
from postroom.sending.messages import Message
from postroom.sending.roads import Way, fitting, takes_finished
from postroom.sending.trace import received_field
from postroom.sending.tracking import tracking_of
from postroom.sending.tracking_mail import TrackedMail


@dataclass(frozen=True, slots=True)
class Planned:
    """A call that is ready, with the claims it rests on."""

    message: Message
    way: Way
    call: Call
    claims: Mapping[UUID, Claimed]
    """By hand-over id."""
    others: frozenset[int] = frozenset()
    """Accounts that come after this one, and may carry it too."""


class NeedsRawCarrier(Exception):
    """No account has a road that carries this mail as it is."""


def missing_fields(message: Message, claimed: Sequence[Claimed]) -> dict[str, list[Claimed]]:
    """Deliveries that cannot be rendered, by the sentence that says why."""
    missing: dict[str, list[Claimed]] = {}
    for one in claimed:
        for key in sorted(message.keys - one.vars.keys())[:1]:
            text = f"there is no value for the field {{{{ {key} }}}}"
            missing.setdefault(text, []).append(one)
    return missing


def compose(
    message: Message, claimed: Sequence[Claimed], ways: Sequence[Way], batch_max: int | None
) -> list[Planned]:
    """The calls for these deliveries of one message; raises NeedsRawCarrier."""
    why = "there is no account with an SMTP road"
    possible = _one_click_first(message, list(fitting(message.content, ways)))
    for place, way in enumerate(possible):
        others = frozenset(other.account.id for other in possible[place + 1 :]) - {way.account.id}
        try:
            return list(_by(way, others, message, claimed, batch_max))
        except CannotCarry as refusal:
            why = str(refusal)
    raise NeedsRawCarrier(why)


def _one_click_first(message: Message, ways: Sequence[Way]) -> Sequence[Way]:
    """Within each account the roads first that carry a header of each copy's own, if it has one."""
    if message.content is None or not message.content.one_click:
        return ways
    accounts = list(dict.fromkeys(way.account.id for way in ways))
    return sorted(
        ways,
        key=lambda way: (
            accounts.index(way.account.id),
            not takes_finished(way.carrier.capabilities),
        ),
    )


def _by(
    way: Way,
    others: frozenset[int],
    message: Message,
    claimed: Sequence[Claimed],
    batch_max: int | None,
) -> Iterator[Planned]:
    size = min(batch_max or len(claimed), way.recipients_max or len(claimed))
    for start in range(0, len(claimed), size):
        claims = {uuid7_like(one.delivery_id): one for one in claimed[start : start + size]}
        copies = [
            Copy(id, one.recipient, one.recipient_name, message.values(id, one.vars))
            for id, one in claims.items()
        ]
        for call in way.carrier.compose(way.account, _mail(way, message, copies), copies):
            own = {copy.handover_id: claims[copy.handover_id] for copy in call.copies}
            yield Planned(
                message,
                way,
                _noted(call, message, is_finished=takes_finished(way.carrier.capabilities)),
                own,
                others,
            )


def _noted(call: Call, message: Message, *, is_finished: bool) -> Call:
    """The call, with what was changed in the mail before this road changed anything."""
    changes = () if message.tracked is None else message.tracked.changes
    if message.content is not None and message.content.one_click and not is_finished:
        changes = (*changes, "no List-Unsubscribe: this road has no header for each copy")
    return replace(call, changes=(*changes, *call.changes)) if changes else call


def _mail(way: Way, message: Message, copies: list[Copy]) -> Mail:
    if not takes_finished(way.carrier.capabilities) and message.content is not None:
        return message.content
    if message.content is not None:
        return _with_feedback_id(way, message, message.skeleton.mail(copies))
    return _received(way, message, copies)


def _with_feedback_id(way: Way, message: Message, mail: RawMail) -> RawMail:
    """The mail as Gmail can group complaints about it, where the provider says nothing of the kind.

    Providers have a `Feedback-ID` of their own, and Gmail reads one.
    """
    headers = () if message.content is None else message.content.headers
    own = any(name.lower() == feedback_id.NAME.lower() for name, _ in headers)
    if way.account.provider != "smtp" or own:
        return mail
    value = feedback_id.feedback_id(message.stored.application, message.stored.communication)
    field = f"{feedback_id.NAME}: {value}\r\n".encode("ascii")
    copies = {id: (field, *segments) for id, segments in mail.copies.items()}
    return replace(mail, copies=copies)


def _received(way: Way, message: Message, copies: list[Copy]) -> RawMail:
    """The mail as it came in, without what stays in the house, and with our trace on top."""
    stored, mail = message.stored, message.cleaned(way.road.steering)
    trace = received_field(stored.message_id, stored.accepted_at)
    by_us = message.tracked_mail
    by_provider = message.wishes if tracking_of(stored) is None else frozenset()
    return RawMail(
        mail_from=stored.from_address if stored.mail_from is None else stored.mail_from,
        copies={
            copy.handover_id: (
                trace + message.one_click(copy.handover_id),
                *_own(mail.segments, by_us, copy),
            )
            for copy in copies
        },
        shared=mail.shared,
        changes=(
            *(f"removed {name}" for name in mail.removed),
            *(() if by_us is None else by_us.changes),
        ),
        track_opens="opens" in by_provider,
        track_clicks="clicks" in by_provider,
    )


def _own(segments: Sequence[Segment], tracked: TrackedMail | None, copy: Copy) -> Sequence[Segment]:
    """One copy of a mail that came in, with its own links where it is tracked."""
    return segments if tracked is None else tracked.segments(copy.handover_id, segments)
