"""`postroom decode` and `dsn`: what a notification or a returned mail means, without a database."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.providers.base import Heard, Receiver, Unreadable
from postroom.providers.bounces import parse_mail
from postroom.providers.registry import PROVIDERS

READABLE = {name: known.receiver for name, known in PROVIDERS.items() if known.receiver}
"""Who reads the notifications of each provider that sends any."""

Row = dict[str, str | int | bool | None]


def run(
    provider: str, headers_file: str | None, paths: Sequence[str], out: TextIO, err: TextIO
) -> int:
    """Prints one JSON object a line for every event; the exit status.

    `headers_file` holds the request's headers, one `Name: value` a line. Without paths the body
    is read from standard input. What cannot be read is one line on `err`, and 1 in the end; the
    other files are still read.
    """
    receiver = READABLE.get(provider)
    if receiver is None:
        able = ", ".join(sorted(READABLE))
        print(f"no notifications of {provider!r} can be read; these can: {able}", file=err)
        return 1
    try:
        headers = _headers(headers_file)
    except OSError as error:
        print(f"{headers_file}: {_why(error)}", file=err)
        return 1
    status = 0
    for path in paths or (None,):
        try:
            for each in _rows(provider, receiver, headers, _body(path)):
                _print(each, path, out)
        except BrokenPipeError:
            raise  # nobody reads what we print
        except (OSError, Unreadable) as error:
            print(f"{path or 'standard input'}: {_why(error)}", file=err)
            status = 1
    return status


def run_mails(paths: Sequence[str], out: TextIO, err: TextIO) -> int:
    """The same for mails that came back: bounces, abuse reports, automatic answers."""
    status = 0
    for path in paths or (None,):
        try:
            for heard in filter(_says_something, parse_mail(_body(path))):
                _print(row(heard, "dsn"), path, out)
        except BrokenPipeError:
            raise  # nobody reads what we print
        except (OSError, Unreadable) as error:
            print(f"{path or 'standard input'}: {_why(error)}", file=err)
            status = 1
    return status


def _print(row: Row, path: str | None, out: TextIO) -> None:
    print(json.dumps({"file": path, **row} if path else row), file=out)


def _why(error: OSError | Unreadable) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _headers(path: str | None) -> dict[str, str]:
    """The headers with lower-case names; lines without a colon are passed over."""
    if path is None:
        return {}
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    split = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in split}


def _body(path: str | None) -> bytes:
    return sys.stdin.buffer.read() if path is None else Path(path).read_bytes()


def _rows(
    provider: str, receiver: Receiver, headers: Mapping[str, str], body: bytes
) -> Iterator[Row]:
    """The events that say something about a delivery, each fact once."""
    seen: set[Heard] = set()
    for heard in receiver.parse(headers, body):
        fact = replace(heard, start=0, length=None, event_id=None)
        if _says_something(heard) and fact not in seen:
            seen.add(fact)
            yield row(heard, provider)


def _says_something(heard: Heard) -> bool:
    """Whether it leads to a delivery: by an id, or, where we know the word, by an address."""
    if heard.handover_id or heard.provider_message_id:
        return True
    return heard.type is not EventType.UNKNOWN and heard.recipient is not None


def row(heard: Heard, provider: str) -> Row:
    """The event in the normal form that `decode` and `dsn` print."""
    reading = read(heard, provider)
    return {
        "type": heard.type.value,
        "recipient": heard.recipient,
        "permanence": reading.permanence.value if reading.permanence else None,
        "suppress": reading.suppress.value,
        "reason": reading.reason,
        "reply_code": heard.reply_code,
        "enhanced_code": heard.enhanced_code,
        "diagnostic": heard.diagnostic,
        "url": heard.url,
        "machine": heard.machine,
        "occurred_at": _iso(heard.occurred_at),
        "handover_id": str(heard.handover_id) if heard.handover_id else None,
        "provider_message_id": heard.provider_message_id,
        "event_id": heard.event_id,
    }


def _iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, with milliseconds where there are any."""
    if at is None:
        return None
    whole = "seconds" if at.microsecond == 0 else "milliseconds"
    return at.astimezone(UTC).isoformat(timespec=whole).replace("+00:00", "Z")
