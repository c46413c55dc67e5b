"""Who opened or clicked: a person, a machine, or nobody can tell.

Everything here is pure. A copy's hits are judged together and by their set: a later one may show
that an earlier one was a scanner's. Each judgement names the rule that made it. Rules are looked
at in the order of this page, and the first that says "machine" stands:

- `asked`: a POST says what a person wants, or a mailbox provider for one (RFC 8058 3.2).
- `head`: the method was HEAD, which shows nobody anything.
- `agent`: the user agent is that of a known prefetcher or scanner, or of a program.
- `too_soon`: within five seconds of the hand-over to the provider: no mail is delivered, noticed
  and opened that fast.
- `burst`: three different links, or more, within three seconds.
- `company`: from the address and agent of a hit that one of these rules judged, within ten seconds.
- `no_agent`: without a user agent nobody can tell.
- `none`: nothing speaks against a person.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

RULES_VERSION = 1
"""Rises whenever a rule here decides otherwise; kept with each judgement."""

TOO_SOON = timedelta(seconds=5)
BURST_WITHIN = timedelta(seconds=3)
BURST_LINKS_MIN = 3
COMPANY_WITHIN = timedelta(seconds=10)

_EXACT_AGENTS = frozenset({
    # Apple's Mail Privacy Protection fetches all pictures of all mail, whether opened or not:
    # https://github.com/ua-parser/uap-core/issues/509, read 2026-11-24.
    "Mozilla/5.0",
    # Gmail, before a person with an open session sees the mail. What it fetches when the mail is
    # opened says GoogleImageProxy: https://www.sparkpost.com/blog/gmail-prefetching-images/, read
    # 2026-11-24.
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
    ),
})  # fmt: skip

_AGENTS = re.compile(
    # Crawlers and link previews name themselves; so do libraries and browsers without a screen.
    r"\b\w*(?:bot|crawler|spider|preview|scanner|monitor)\b|facebookexternalhit|headless|phantomjs"
    r"|^(?:curl|wget|libwww|lwp|java|python|go-http-client|okhttp|apache-httpclient|node|axios|ruby"
    r"|perl|php|aiohttp|httpx|scrapy|postmanruntime)\b"
    # Security products that follow links before the recipient does, by the names they send.
    r"|barracuda|mimecast|proofpoint|fireeye|trendmicro|bitdefender|symantec|sophos|checkpoint"
    r"|office existence discovery",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a hit was."""

    machine: bool | None
    """None: nobody can tell."""
    rule: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One fetch of the picture or of a link of one copy."""

    at: datetime
    """By our clock."""
    method: str
    url: str
    """Empty for the picture."""
    address: str | None
    agent: str
    earlier: Judgement | None = None
    """How it was judged while its address and agent were known; None: they are."""
    is_request: bool = False
    """It was asked for by a POST: an unsubscribe, or taking one back. That is no scanner's."""


def judged(hits: Sequence[Hit], handed_at: datetime) -> list[Judgement]:
    """What each of these hits was; they are of one copy, handed over at `handed_at`."""
    alone = [one.earlier or _alone(one, handed_at) for one in hits]
    bursting = _bursts(hits)
    together = [
        Judgement(True, "burst") if not was.machine and number in bursting else was
        for number, was in enumerate(alone)
    ]
    machines = _times([one for one, was in zip(hits, together, strict=True) if was.machine])
    return [
        Judgement(True, "company") if _has_company(one, machines) and not was.machine else was
        for one, was in zip(hits, together, strict=True)
    ]


def _alone(hit: Hit, handed_at: datetime) -> Judgement:
    """What is known of a hit without the others."""
    if hit.is_request:
        return Judgement(False, "asked")
    if hit.method == "HEAD":
        return Judgement(True, "head")
    if hit.agent in _EXACT_AGENTS or _AGENTS.search(hit.agent):
        return Judgement(True, "agent")
    if hit.at - handed_at < TOO_SOON:
        return Judgement(True, "too_soon")
    return Judgement(False, "none") if hit.agent else Judgement(None, "no_agent")


def _bursts(hits: Sequence[Hit]) -> set[int]:
    """The clicks of bursts, by their places."""
    clicks = sorted((one.at, number) for number, one in enumerate(hits) if one.url)
    found: set[int] = set()
    urls: Counter[str] = Counter()
    first = marked = 0
    for last, (at, number) in enumerate(clicks):
        urls[hits[number].url] += 1
        while at - clicks[first][0] > BURST_WITHIN:
            gone = hits[clicks[first][1]].url
            urls[gone] -= 1
            if not urls[gone]:
                del urls[gone]
            first += 1
        if len(urls) >= BURST_LINKS_MIN:
            found.update(place for _, place in clicks[max(first, marked) : last + 1])
            marked = last + 1
    return found


Visitor = tuple[str | None, str]


def _times(machines: Sequence[Hit]) -> Mapping[Visitor, Sequence[datetime]]:
    """When each machine came, by its address and agent."""
    times: dict[Visitor, list[datetime]] = {}
    for one in sorted(machines, key=lambda hit: hit.at):
        times.setdefault((one.address, one.agent), []).append(one.at)
    return times


def _has_company(hit: Hit, machines: Mapping[Visitor, Sequence[datetime]]) -> bool:
    if hit.address is None or hit.is_request:
        return False
    times = machines.get((hit.address, hit.agent), ())
    next_one = bisect_left(times, hit.at - COMPANY_WITHIN)
    return next_one < len(times) and times[next_one] <= hit.at + COMPANY_WITHIN
