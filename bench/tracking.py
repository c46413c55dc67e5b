"""Tracking: our addresses against a bare endpoint, and composition with it against without."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from bench.http_client import post
from bench.rig import Rig
from bench.single_accepts import bare_endpoint, posted
from bench.table import Row

if TYPE_CHECKING:
    from postroom.providers.base import Copy
    from postroom.sending.messages import Message

RUNS = 5
REQUESTS = 10_000
COPIES = 20_000
BATCH = 1_000
LINKS = 60
LEAST_OF_BARE = 0.5
LEAST_OF_UNTRACKED = 0.7


def addresses(rig: Rig, scale: float) -> list[Row]:
    """Opens, clicks and unsubscribes, each stored before it is answered."""
    from postroom.domain.tracking import Kind
    from postroom.ledger.db import connection

    count = max(1_000, int(scale * REQUESTS))
    with bare_endpoint() as port:
        bare, _ = posted(port, [post("/v1/messages", b"{}")] * count, {})
    rows = []
    with rig.role("web", rig.http_port) as web:
        for kind, status in ((Kind.OPEN, 200), (Kind.CLICK, 302), (Kind.UNSUBSCRIBE, 200)):
            requests = [_request(kind) for _ in range(count)]
            ours, cost = posted(
                rig.http_port, requests, {"web": web, **rig.database}, status=status
            )
            note = f"one costs {cost}"
            what = f"tracking: {kind.name.lower()}"
            rows.append(
                Row(what, "/s", ours, "bare endpoint", bare, least=LEAST_OF_BARE, note=note)
            )
    with connection() as conn:
        conn.execute("TRUNCATE hit")
    return rows


def _request(kind: str) -> bytes:
    from django.conf import settings

    from postroom.domain import tracking
    from postroom.domain.tracking import Keys, Kind

    keys, message = Keys.of(settings.POSTROOM_SECRET_KEY), uuid4()
    url = "https://shop.example/offers?list=7" if kind == Kind.CLICK else ""
    target = tracking.target(Kind(kind), message, url, keys)
    path = tracking.path(Kind(kind), tracking.recipient(message, uuid4(), keys), target)
    if kind == Kind.UNSUBSCRIBE:
        return post(path, b"List-Unsubscribe=One-Click")
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Bench\r\n\r\n".encode()


def composed(_: Rig, scale: float) -> list[Row]:
    """Copies of a mail with 60 links, by a JSON road and as finished mails."""
    copies = max(BATCH, int(scale * COPIES) // BATCH * BATCH)
    rows = []
    for what, compose in (("JSON, 1,000 a call", _by_json), ("finished mails", _finished)):
        with_it, without = (
            [_per_second(compose, copies, is_tracked=tracked) for _ in range(RUNS)]
            for tracked in (True, False)
        )
        row = f"composition with tracking, {what}"
        rows.append(
            Row(row, "/s", with_it, "the same, untracked", without, least=LEAST_OF_UNTRACKED)
        )
    return rows


Composer = Callable[[bool, Sequence[UUID]], None]


def _per_second(compose: Composer, copies: int, *, is_tracked: bool) -> float:
    ids = [uuid4() for _ in range(copies)]
    began = time.perf_counter()
    compose(is_tracked, ids)
    return copies / (time.perf_counter() - began)


def _by_json(is_tracked: bool, ids: Sequence[UUID]) -> None:
    from postroom.providers.base import Account
    from postroom.providers.sendgrid import SendGridCarrier

    message = _message(is_tracked)
    if message.content is None:
        raise ValueError("a mail that came by SMTP has no JSON")
    carrier = SendGridCarrier()
    account = Account(1, "bench", "sendgrid", True, {"api_key": "x"})
    for start in range(0, len(ids), BATCH):
        made = _copies(message, ids[start : start + BATCH])
        for call in carrier.compose(account, message.content, made):
            call.body()


def _finished(is_tracked: bool, ids: Sequence[UUID]) -> None:
    from postroom.providers.base import assemble

    message = _message(is_tracked)
    for start in range(0, len(ids), BATCH):
        mail = message.skeleton.mail(_copies(message, ids[start : start + BATCH]))
        for segments in mail.copies.values():
            assemble(segments, mail.shared)


def _copies(message: "Message", ids: Sequence[UUID]) -> "list[Copy]":
    from postroom.providers.base import Copy

    return [
        Copy(id, f"p{n}@example.com", None, message.values(id, {"name": f"Person {n}"}))
        for n, id in enumerate(ids)
    ]


def _message(is_tracked: bool) -> "Message":
    from postroom.domain.lane import Lane
    from postroom.ledger.blobs import StoredMessage
    from postroom.sending.messages import parsed

    now = datetime.now(UTC)
    link = "<p>Dear {{{{ name }}}} <a href='https://shop.example/offers?list={n}'>Offer</a></p>"
    page = "".join(link.format(n=n) for n in range(LINKS))
    body = {"from": "news@example.com", "subject": "News", "text": "News", "html": page}
    stored = StoredMessage(
        message_id=uuid4(),
        application_id=1,
        application="bench",
        communication=None,
        door="http",
        from_address="news@example.com",
        mail_from=None,
        lane=Lane.NORMAL,
        tags=(),
        metadata={},
        on_doubt="hold",
        accepted_at=now,
        send_at=None,
        expires_at=None,
        submission=json.dumps(body).encode(),
    )
    track = ("opens", "clicks") if is_tracked else ()
    return parsed(
        replace(stored, simulated=True, track=track, tracking_url="https://t.corp.example"), now
    )
