"""`Feedback-ID`: by which Gmail's Postmaster Tools group complaints, without naming who complained.

Form: https://support.google.com/mail/answer/6254652, read on 2026-11-24: up to three identifiers
and a sender's, with colons between; the same identifier never in two places.
"""

import re

NAME = "Feedback-ID"
SENDER = "postroom"
"""5 to 15 characters, the same for all mail."""

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")


def feedback_id(application: str, communication: str | None) -> str:
    """The field's value: the communication within its application, the application, and us."""
    whose = f"app-{_plain(application)}"
    which = "" if communication is None else f"{_plain(application)}.{_plain(communication)}"
    return f"{which}::{whose}:{SENDER}"


def named_in(identifier: str) -> tuple[str, str | None] | None:
    """Application and communication that an identifier stands for; None where it is not ours."""
    whole = identifier.removeprefix("app-")
    if whole != identifier:
        return whole, None
    application, dot, communication = identifier.partition(".")
    return (application, communication) if dot else None


def _plain(name: str) -> str:
    return _NOT_PLAIN.sub("-", name)
