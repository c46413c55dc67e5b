"""How large a run is, and the settings and the mischief under which it happens."""

from dataclasses import dataclass

BATCH_MAX = 20
"""Recipients of one call: what one broken call can put in doubt."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The size of one run."""

    messages: int
    recipients: int
    kills_of_each: int
    """Kills of each kind of process; PostgreSQL has two kinds, half as many of each."""
    lasts_s: float
    """Mails and kills are spread over this time; what was put off by a kill ends later."""
    rest_s_max: float
    """How long everything may take afterwards to get a final word: what met a dead provider a few
    times waits for minutes before the next try, and the windows come on top."""


SHORT = Scale(messages=150, recipients=700, kills_of_each=2, lasts_s=18, rest_s_max=90)
LONG = Scale(messages=2000, recipients=10_000, kills_of_each=20, lasts_s=200, rest_s_max=600)

SETTINGS = {
    "POSTROOM_BATCH_MAX": str(BATCH_MAX),
    "POSTROOM_CALLS_IN_FLIGHT_MAX": "12",
    "POSTROOM_CALL_TIMEOUT_S": "6",
    "POSTROOM_LEASE_S": "12",
    "POSTROOM_DOUBT_WINDOW_S": "6",
    "POSTROOM_SILENCE_S": "12",
    "POSTROOM_SILENCE_DEFERRED_S": "14",
}
"""Windows of days, scaled to seconds; all above the times that the simulator takes."""

MISCHIEF = {
    "latency_ms": [150, 600],
    "webhook_delay_ms": [0, 3000],
    "webhook_repeat": 0.3,
    "webhook_reissue": 0.2,
    "webhook_shuffle": True,
    "webhook_forge": 0.1,
    "webhook_truncate": 0.05,
}
"""Calls that take time, so that kills meet them; webhooks late, repeated, shuffled and forged."""
