"""The runs there are: which faults happen together, where, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.faults import (
    changes,
    disk,
    freezing,
    full_disk,
    lines,
    manners,
    notices,
    provider,
    suppressing,
)
from tests.faults.killer import BACKEND, KINDS, POSTMASTER, kills_of
from tests.faults.place import Ground
from tests.faults.scale import MISCHIEF, Scale
from tests.faults.scene import Trouble


@dataclass(frozen=True, slots=True)
class Occasion:
    """Faults of one family."""

    name: str
    troubles: tuple[Trouble, ...]
    scale: Scale
    seeds: Sequence[int]
    says: str
    """What goes wrong, for whoever reads of it."""
    ground: Ground = field(default_factory=Ground)


_LOSSES = {**MISCHIEF, "webhook_lose": 0.2}
_MINUTES = Scale(messages=400, recipients=2000, times=6, lasts_s=60, rest_s_max=420)

KILLS = Occasion(
    "kills",
    (kills_of(*KINDS),),
    Scale(messages=1500, recipients=7500, times=20, lasts_s=150, rest_s_max=600),
    (11, 23, 47),
    "`SIGKILL` for every role and PostgreSQL, 20 times each; half of PostgreSQL's kills meet a"
    " backend, half the postmaster",
)
FROZEN = Occasion(
    "frozen",
    (
        freezing.sender_frozen_beyond_its_lease,
        freezing.web_frozen,
        freezing.smtp_frozen,
        freezing.interpreter_frozen,
        freezing.clock_frozen,
    ),
    _MINUTES,
    (12, 13, 14),
    "`SIGSTOP` and `SIGCONT` for every role, a sender's beyond its lease, while a second sender and"
    " a second clock work on",
    Ground(more_roles=("sender", "clock")),
)
LIMITS = Occasion(
    "limits",
    (
        freezing.sender_frozen_beyond_its_lease,
        kills_of("sender", BACKEND, POSTMASTER),
        suppressing.suppressions,
    ),
    replace(_MINUTES, messages=240, recipients=1200, lasts_s=45),
    (20, 21, 22),
    "an account with a limit of 8 calls/s and more mail than that, two senders that are killed and"
    " frozen beyond their leases, PostgreSQL killed, and people who suppress"
    " addresses for which mail waits; calls take 300 ms",
    Ground(mischief={**MISCHIEF, "latency_ms": [300, 300]}, more_roles=("sender",), calls_per_s=8),
)
LINES = Occasion(
    "lines",
    (lines.line_to_the_provider, lines.line_to_the_database),
    replace(_MINUTES, times=4, lasts_s=90),
    (13, 14, 15),
    "connections to the provider and to the database are reset, cut before, within and after what"
    " is asked and answered, and carry 1 byte/s",
    Ground(has_lines=True),
)
PROVIDER = Occasion(
    "provider",
    (provider.answers_that_err,),
    replace(_MINUTES, lasts_s=100, times=8, smtp_share=0.0),
    (14, 15, 16),
    "every error status with and without `Retry-After`, calls taken and answered with an error, no"
    " answer, and half-answers",
)
BATCHES = replace(
    PROVIDER,
    name="batches",
    seeds=(19, 20, 21),
    says="the same from a provider that answers with a result for each recipient",
    ground=Ground(provider="postmark"),
)
NOTICES = Occasion(
    "notices",
    (notices.notices_of_unknown_mail, notices.forged_notices),
    _MINUTES,
    (15, 16, 17),
    "a fifth of the webhooks is lost, others come before the answer of the call (calls take up to"
    " 2 s) or when their window has long passed, tell of unknown mails, or are forged",
    Ground(mischief={**_LOSSES, "latency_ms": [150, 2000], "webhook_delay_ms": [0, 18_000]}),
)
CLIENTS = Occasion(
    "clients",
    (manners.dropped_sessions, manners.idle_sessions),
    _MINUTES,
    (16, 17, 18),
    "SMTP clients drop in DATA, after the dot and without QUIT, crawl, and sit idle",
)
DISK = Occasion(
    "disk",
    (disk.disk_full, full_disk.file_system_full),
    replace(_MINUTES, lasts_s=120),
    (17, 18, 19),
    "PostgreSQL, and then the web role too, can write no file (`RLIMIT_FSIZE`); and where a `tmpfs`"
    " can be mounted, all that the installation keeps lies on one that is full for a while. Both"
    " doors must say no, 503 and 451, before there is room again",
    Ground(has_small_disk=True),
)
CHANGES = Occasion(
    "changes",
    (
        changes.rolling_restart,
        changes.migrations,
        changes.backends_ended,
        changes.connections_used_up,
    ),
    replace(_MINUTES, times=5, lasts_s=120),
    (18, 19, 20),
    "all roles restart one by one, the next release's `postroom migrate` changes the tables, a"
    " table is locked, backends are ended, no connection is left, two clocks run",
    Ground(more_roles=("clock",)),
)
LONG = (KILLS, FROZEN, LIMITS, LINES, PROVIDER, BATCHES, NOTICES, CLIENTS, DISK, CHANGES)

_SOON = {
    "POSTROOM_DOUBT_WINDOW_S": "3",
    "POSTROOM_SILENCE_S": "4",
    "POSTROOM_SILENCE_DEFERRED_S": "5",
}
"""Words that come later than that are taken all the same."""
_MOMENT = Scale(messages=60, recipients=240, times=2, lasts_s=10, rest_s_max=180)
SHORT_KILLS = replace(
    KILLS,
    scale=Scale(messages=150, recipients=700, times=2, lasts_s=18, rest_s_max=90),
    seeds=(5,),
    says="`SIGKILL` for every role and PostgreSQL, twice each",
    ground=Ground(settings=_SOON),
)
SHORT_INSIDE = replace(
    CHANGES,
    name="inside",
    troubles=(*FROZEN.troubles, *LINES.troubles, *CHANGES.troubles),
    scale=_MOMENT,
    seeds=(6,),
    says="what befalls our own processes and the database: frozen, lines, changes, all at once",
    ground=Ground(settings=_SOON, more_roles=("sender", "clock"), has_lines=True),
)
SHORT_OUTSIDE = replace(
    NOTICES,
    name="outside",
    troubles=(*PROVIDER.troubles, *NOTICES.troubles, *CLIENTS.troubles, disk.disk_full),
    scale=replace(_MOMENT, messages=30, smtp_share=0.0),
    seeds=(7,),
    says="what others do: provider, notices, clients, a full disk (`RLIMIT_FSIZE`), all at once",
    ground=Ground(mischief={**_LOSSES, "webhook_delay_ms": [0, 2000]}, settings=_SOON),
)
SHORT = (SHORT_KILLS, SHORT_INSIDE, SHORT_OUTSIDE)
