"""The WHERE of a list, put together from what was asked for.

Conditions are added only where they say something, so that the plan fits the question.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Selection:
    """Conditions, constants of this house, with the values that they refer to by name."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, condition: str, **values: Any) -> None:
        """Everything selected must meet this too."""
        self.conditions.append(condition)
        self.values |= values

    def equal(self, column: str, value: object) -> None:
        """The column has this value; None says nothing about it."""
        if value is not None:
            name = column.replace(".", "_")
            self.add(f"{column} = %({name})s", **{name: value})

    @property
    def where(self) -> str:
        """The conditions joined, for after WHERE."""
        return " AND ".join(self.conditions) or "true"
