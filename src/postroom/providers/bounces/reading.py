"""A mail that came back, read into the normal form: which kind it is, and what it says of whom."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers.base import Heard, Unreadable
from postroom.providers.bounces import arf, autoreply, oldstyle, report
from postroom.providers.bounces.fields import addresses, field, groups, readable, when
from postroom.providers.bounces.prose import lines_of, returned_in, text_of

EXAMINED_BYTES_MAX = 1024 * 1024
"""How much of a mail is read: what it says stands before the mail that it returns (RFC 3462)."""
_ANNOUNCED_WITHIN = 60
"""Lines in which a mail that is not plainly a bounce must say that it is one."""
_QUOTE_BYTES_MAX = 256 * 1024
"""How much of a mail is searched for our id: headers of a returned mail come early."""

_HANDOVER = re.compile(
    r"(?:x-postroom-handover:\s*|postroom_handover\W{1,8})([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.IGNORECASE,
)
_SYSTEMS = re.compile(
    r"mailer-?(?:daemon|system)|post-?master|mail-?deliver|maildelivery|mail delivery|delivery sub"
    r"|mail-?daemon|smtp_mail_service|\bmaild|bounce(?:d|s)?@|mail system|mta@|system admin"
    r"|e-?mail ?system",
    re.IGNORECASE,
)
_SUBJECTS = re.compile(
    r"undeliver|returned mail|mail returned|returned message|delivery (?:status|fail|problem"
    r"|notif|delay|error|has failed|report|incomplete|trouble)"
    r"|fail(?:ure|ed) (?:notice|deliver|mail|to deliver)|mail system error"
    r"|mail(?:ing)? (?:delivery|error|failure|could not|status|system)"
    r"|non-?(?:delivery|remis)|not delivered|unable to deliver|(?:could|can) ?not (?:be )?"
    r"(?:deliver|send)|error sending your mail"
    r"|message (?:delivery|undeliver|status|could not|not deliver)"
    r"|delivery to .{1,99} failed|unzustellbar|non remis|nicht zugestellt"
    r"|undelivered|returning (?:message|mail)|warning: (?:could|message)|bounced? mail|mail bounce"
    r"|failed mail|user unknown|unknown user|no entregad|не доставл|недостав|エラー|配信|不達|退信",
    re.IGNORECASE,
)


def parse_mail(data: bytes) -> list[Heard]:
    """What a mail that came back tells; empty for one that tells nothing about a delivery.

    Raises Unreadable when its parts are nested so deeply that only malice can have built them.
    """
    try:
        found = list(_events(_parsed(data)))
    except RecursionError as error:
        raise Unreadable("the parts of the mail are nested too deeply") from error
    handover_id, length = _handover_id(data), len(data)
    placed = (replace(one, handover_id=handover_id, start=0, length=length) for one in found)
    return list(dict.fromkeys(placed))


def is_personal(data: bytes) -> bool:
    """Whether a person seems to have written the mail: it has an author and no machine's mark."""
    mail = _parsed(data)
    submitted = (field(mail, "Auto-Submitted") or "no").lower()
    precedence = (field(mail, "Precedence") or "").lower()
    return (
        bool(addresses(field(mail, "From") or ""))
        and submitted.startswith("no")
        and precedence not in {"bulk", "junk", "list", "auto_reply"}
        and mail.get_content_type() != "multipart/report"
        and not autoreply.is_auto_reply(mail)
        and not _by_system(mail)
    )


def says_of(data: bytes, recipient: str) -> bool:
    """Whether the prose names this address, in whatever place."""
    return recipient.lower() in "\n".join(lines_of(text_of(_parsed(data)))).lower()


def date_of(data: bytes) -> tuple[datetime | None, str]:
    """The mail's own date: as an instant, and as given."""
    stamp = field(_parsed(data), "Date") or ""
    return when(stamp), stamp


def _parsed(data: bytes) -> Message:
    return BytesParser(policy=compat32).parsebytes(data[:EXAMINED_BYTES_MAX])


def _handover_id(data: bytes) -> UUID | None:
    """Our id, in the header that we added to the mail that came back."""
    match = _HANDOVER.search(data[:_QUOTE_BYTES_MAX].decode("latin-1"))
    return UUID(match[1]) if match else None


def _events(mail: Message) -> Iterator[Heard]:
    """The events of a mail, by the first kind that it is."""
    if arf.is_report(mail):
        yield from arf.read(mail)
        return
    lines = lines_of(text_of(mail))
    found = list(report.statuses(_status_parts(mail), mail, lines))
    if found:
        yield from found
    elif _is_auto_reply(mail):
        yield from autoreply.read(mail)
    elif _is_bounce(mail, lines):
        yield from _without_report(mail, lines)


def _is_auto_reply(mail: Message) -> bool:
    if _is_certain(mail):
        return False
    return autoreply.calls_itself_one(mail) or (
        autoreply.is_auto_reply(mail) and not _by_system(mail)
    )


def _without_report(mail: Message, lines: Sequence[str]) -> list[Heard]:
    """What a bounce says in other ways: a bounce inside, prose, or fields amid the prose."""
    return (
        list(_wrapped(mail)) or list(_in_prose(mail, lines)) or list(_fields_in_prose(mail, lines))
    )


def _wrapped(mail: Message) -> Iterator[Heard]:
    """The report of a bounce that some gateway wrapped once more."""
    for each in _inner_mails(mail):
        yield from report.statuses(_status_parts(each), each, lines_of(text_of(each)))


def _status_parts(mail: Message) -> Iterator[Message]:
    """The report parts of this mail itself; those of a mail that it quotes are another's."""
    if mail.get_content_type() in report.STATUS_TYPES:
        yield mail
    elif mail.is_multipart() and mail.get_content_maintype() != "message":
        for part in mail.get_payload():
            if isinstance(part, Message):
                yield from _status_parts(part)


def _inner_mails(mail: Message) -> Iterator[Message]:
    """The mails inside that a mail system wrote."""
    for part in mail.walk():
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            inner = part.get_payload(0)
            if isinstance(inner, Message) and _by_system(inner):
                yield inner


def _fields_in_prose(mail: Message, lines: Sequence[str]) -> Iterator[Heard]:
    """A report whose parts were melted into one text on the way."""
    for group in groups("\n".join(lines)):
        if "final-recipient" in group or "original-recipient" in group:
            yield from report.status(group, mail, ())


def _in_prose(mail: Message, lines: Sequence[str]) -> Iterator[Heard]:
    named = addresses(field(mail, "X-Failed-Recipients") or "")
    involved = [one for name in ("To", "Cc", "From") for one in addresses(field(mail, name) or "")]
    home = (addresses(field(mail, "From") or "") or [""])[0].rpartition("@")[2]
    failed = list(oldstyle.failures(lines, named, involved, home))
    type = EventType.DEFERRED if oldstyle.is_delay(lines) else EventType.BOUNCED
    if not failed:
        said = "\n".join(lines).strip()[: oldstyle.REASON_CHARS_MAX]
        failed = [oldstyle.Failure(one, said) for one in _returned_to(mail)]
    for failure in failed:
        heard = _told_in_prose(type, failure, mail)
        if failure.expanded_from and type is EventType.BOUNCED:
            yield from report.forwarded(heard, failure.expanded_from, failure.recipient)
        else:
            yield heard


def _told_in_prose(type: EventType, failure: oldstyle.Failure, mail: Message) -> Heard:
    reply_code, enhanced_code = extract_codes(failure.words)
    return Heard(
        type=type,
        recipient=failure.recipient,
        occurred_at=when(field(mail, "Date")),
        occurred_raw=field(mail, "Date") or "",
        provider_type="prose",
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=failure.words,
        asynchronous=True,
    )


def _returned_to(mail: Message) -> list[str]:
    """The recipient of the returned mail, where the bounce names none and it had only one."""
    inside = [*(part for part in mail.walk() if part is not mail), returned_in(text_of(mail))]
    returned = [addresses(field(part, "To") or "") for part in inside if part.get("To")]
    return returned[0] if returned and len(returned[0]) == 1 else []


def _is_bounce(mail: Message, lines: Sequence[str]) -> bool:
    """Whether a mail system speaks: by a header, its name, the subject, or by what it says."""
    if _is_other_report(mail):
        return oldstyle.is_refusal_by_store(" ".join(lines))
    if _is_certain(mail) or _by_system(mail):
        return True
    if mail.get("In-Reply-To") and not _is_nameless(mail):
        return False
    looks_so = (
        _is_nameless(mail)
        or _returns_a_mail(mail)
        or _SUBJECTS.search(readable(mail, "Subject")) is not None
    )
    return looks_so and oldstyle.announces(lines[:_ANNOUNCED_WITHIN])


def _is_certain(mail: Message) -> bool:
    """Whether it calls itself a report of delivery."""
    return _kind_of_report(mail) == "delivery-status" or bool(mail.get("X-Failed-Recipients"))


def _is_other_report(mail: Message) -> bool:
    """Whether it reports something else: that a mail was read (RFC 8098), how TLS went."""
    return _kind_of_report(mail) not in {"", "delivery-status"}


def _kind_of_report(mail: Message) -> str:
    if mail.get_content_type() != "multipart/report":
        return ""
    return str(mail.get_param("report-type", "delivery-status")).lower()


def _by_system(mail: Message) -> bool:
    named = (field(mail, name) or "" for name in ("From", "Sender"))
    return any(_SYSTEMS.search(name) for name in named)


def _is_nameless(mail: Message) -> bool:
    return (field(mail, "Return-Path") or "").strip() == "<>"


def _returns_a_mail(mail: Message) -> bool:
    return any(part.get_content_type() == "message/rfc822" for part in mail.walk())
