"""The account's configuration sets: which there are, and which of them track."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sets:
    """By name."""

    known: tuple[str, ...] | None
    """None: any."""
    tracking: tuple[str, ...]

    def has(self, name: str | None) -> bool:
        """Whether mail may name it; a mail may also name none."""
        return name is None or self.known is None or name in (*self.known, *self.tracking)

    def tracks(self, name: str | None) -> bool:
        """Whether opens and clicks of such a mail are noticed."""
        return name in self.tracking
