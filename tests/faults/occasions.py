"""The runs there are: which faults happen together, where, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.faults import changes, disk, freezing, lines, manners, notices, provider
from tests.faults.killer import kills
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
    ground: Ground = field(default_factory=Ground)


_LOSSES = {**MISCHIEF, "webhook_lose": 0.2}
_MINUTES = Scale(messages=400, recipients=2000, times=6, lasts_s=60, rest_s_max=420)

KILLS = Occasion(
    "kills",
    (kills,),
    Scale(messages=2000, recipients=10_000, times=20, lasts_s=200, rest_s_max=600),
    (11, 23, 47),
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
    (12,),
    Ground(more_roles=("sender", "clock")),
)
LINES = Occasion(
    "lines",
    (lines.line_to_the_provider, lines.line_to_the_database),
    replace(_MINUTES, times=4, lasts_s=90),
    (13,),
    Ground(has_lines=True),
)
PROVIDER = Occasion(
    "provider",
    (provider.answers_that_err,),
    replace(_MINUTES, lasts_s=120, times=8, smtp_share=0.0),
    (14,),
)
BATCHES = replace(PROVIDER, name="batches", seeds=(19,), ground=Ground(provider="postmark"))
NOTICES = Occasion(
    "notices",
    (notices.notices_of_unknown_mail, notices.forged_notices),
    _MINUTES,
    (15,),
    Ground(mischief={**_LOSSES, "latency_ms": [150, 2000], "webhook_delay_ms": [0, 18_000]}),
)
CLIENTS = Occasion("clients", (manners.dropped_sessions, manners.idle_sessions), _MINUTES, (16,))
DISK = Occasion(
    "disk",
    (disk.disk_full,),
    replace(_MINUTES, lasts_s=150),
    (17,),
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
    (18,),
    Ground(more_roles=("clock",)),
)
LONG = (KILLS, FROZEN, LINES, PROVIDER, BATCHES, NOTICES, CLIENTS, DISK, CHANGES)

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
)
SHORT_INSIDE = replace(
    CHANGES,
    name="inside",
    troubles=(*FROZEN.troubles, *LINES.troubles, *CHANGES.troubles),
    scale=_MOMENT,
    seeds=(6,),
    ground=Ground(settings=_SOON, more_roles=("sender", "clock"), has_lines=True),
)
"""What happens to our own processes and to the database, all at once."""
SHORT_OUTSIDE = replace(
    NOTICES,
    name="outside",
    troubles=(*PROVIDER.troubles, *NOTICES.troubles, *CLIENTS.troubles, *DISK.troubles),
    scale=replace(_MOMENT, messages=30, smtp_share=0.0),
    seeds=(7,),
    ground=Ground(mischief={**_LOSSES, "webhook_delay_ms": [0, 2000]}, settings=_SOON),
)
"""What others do: the provider, clients, whoever forges, and a full disk."""
SHORT = (SHORT_KILLS, SHORT_INSIDE, SHORT_OUTSIDE)
