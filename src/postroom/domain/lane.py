"""The order of service, and what each lane does when nobody can tell whether a mail was taken."""

from enum import IntEnum, StrEnum


class Lane(IntEnum):
    """The order of service; the number is what the ledger stores, the label what people write."""

    URGENT = 0
    """Served first: one person waits for it, or everybody must know now."""
    NORMAL = 1
    """Everything that nobody marked."""
    BULK = 2
    """Broadcasts that may take their time."""

    @property
    def label(self) -> str:
        """The name at the edges: `urgent`, `normal` or `bulk`."""
        return self.name.lower()

    @classmethod
    def of_label(cls, label: str) -> "Lane":
        """The lane of a name at the edges; ValueError when there is no such lane."""
        lane = _BY_LABEL.get(label)
        if lane is None:
            raise ValueError(f"there is no lane {label!r}; use one of {', '.join(_BY_LABEL)}")
        return lane


_BY_LABEL = {lane.label: lane for lane in Lane}


def lane_notes(lane: Lane, asked: Lane | None) -> list[str]:
    """What is told to whoever asked for another lane than the one that the message goes in."""
    if asked in (None, lane):
        return []
    return [_OVER_QUOTA]


_OVER_QUOTA = (
    "asked for urgent, goes as normal: it has more recipients than were left"
    " of the application's urgent ones for this day"
)


class OnDoubt(StrEnum):
    """What to do with a delivery whose hand-over has no known outcome."""

    RESEND = "resend"
    """Hand it over again: twice is better than never."""
    HOLD = "hold"
    """Wait for proof or a person: never is better than twice."""


ON_DOUBT_BY_LANE: dict[Lane, OnDoubt] = {
    Lane.URGENT: OnDoubt.RESEND,
    Lane.NORMAL: OnDoubt.HOLD,
    Lane.BULK: OnDoubt.HOLD,
}
"""What applies when a submission does not say `on_doubt` itself."""
