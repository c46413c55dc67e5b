"""What kind of mail a message is: what a person may refuse without refusing the other."""

from enum import StrEnum


class MailKind(StrEnum):
    """Kinds of mail; an unsubscribe stays in its kind."""

    TRANSACTIONAL = "transactional"
    """Belongs to a business that the person has with us; everything that nobody marked."""
    MARKETING = "marketing"
    """Wants to win the person for something; must be left off when the person asks for that."""

    @classmethod
    def of_label(cls, label: str) -> "MailKind":
        """The kind of a name at the edges; ValueError when there is no such kind."""
        try:
            return cls(label)
        except ValueError:
            raise ValueError(f"is none of {', '.join(cls)}") from None
