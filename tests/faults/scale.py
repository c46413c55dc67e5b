"""How large a run is, and the settings and the mischief under which all of them happen."""

from dataclasses import dataclass

BATCH_MAX = 20
"""Recipients of one call: what one broken call can put in doubt."""


LEASE_S = 8
"""Above the longest call, and short enough to be outlasted by a frozen sender."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The size of one run."""

    messages: int
    recipients: int
    times: int
    """How often each fault happens, unless it says otherwise."""
    lasts_s: float
    """Mails and faults are spread over this time; what was put off by a fault ends later."""
    rest_s_max: float
    """How long everything may take afterwards to get a final word: what met a dead provider a few
    times waits for minutes before the next try, and the windows come on top."""
    smtp_share: float = 0.25
    """The part of the mails that is submitted by SMTP, and goes on by SMTP."""


SETTINGS = {
    "POSTROOM_BATCH_MAX": str(BATCH_MAX),
    "POSTROOM_CALLS_IN_FLIGHT_MAX": "12",
    "POSTROOM_CALL_TIMEOUT_S": "5",
    "POSTROOM_LEASE_S": str(LEASE_S),
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
