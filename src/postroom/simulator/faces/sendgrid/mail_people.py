"""What the vendor refuses in the people of a Mail Send request.

twilio.com/docs/sendgrid/api-reference/mail-send/errors and /limitations, read 2026-11-24.
"""

from collections.abc import Iterator
from typing import Any

from postroom.simulator.addresses import is_address
from postroom.simulator.faces.sendgrid.flaws import Flaw, wrong_type

RECIPIENTS_MAX = 1000


def people_flaws(people: object, path: str) -> Iterator[Flaw]:
    """What is wrong with a list of email objects."""
    if not isinstance(people, list):
        yield wrong_type("array", people, path)
        return
    for number, person in enumerate(people):
        yield from person_flaws(person, f"{path}.{number}")


def person_flaws(person: object, path: str) -> Iterator[Flaw]:
    """What is wrong with one email object."""
    if not isinstance(person, dict):
        yield wrong_type("object", person, path)
    elif "email" not in person:
        kind = path.split(".")[-2] if path[-1].isdigit() else path
        yield Flaw(f"The {kind} email parameter is required.", f"{path}.email")
    elif not isinstance(person["email"], str):
        yield wrong_type("string", person["email"], f"{path}.email")
    elif not is_address(person["email"]):
        yield Flaw("Does not contain a valid address.", f"{path}.email")
    elif not _may_be_name(str(person.get("name") or "")):
        yield Flaw("The name must not contain a semicolon, a comma or a line end.", f"{path}.name")


def _may_be_name(name: str) -> bool:
    """Separators of address lists stand only in a quoted name, as the vendor's clients write it."""
    quoted = len(name) > 1 and name.startswith('"') and name.endswith('"')
    return not any(mark in name for mark in ("\r\n" if quoted else ";,\r\n"))


def recipient_flaws(blocks: list[Any]) -> Iterator[Flaw]:
    """At most 1,000 in all; none twice in a block, nor in the call."""
    seen_in_call: set[str] = set()
    total = 0
    for number, block in enumerate(blocks):
        seen: set[str] = set()
        for email, path in _emails(block, f"personalizations.{number}"):
            total += 1
            if email in seen:
                yield Flaw(
                    "Each email address in the personalization block should be unique between to,"
                    f" cc, and bcc. We found the first duplicate instance of [{email}] in the"
                    f" {path} field.",
                    f"personalizations.{number}",
                )
                return
            seen.add(email)
            if email in seen_in_call:
                yield Flaw(
                    "Each unique email address in the personalizations array should only be"
                    f" included once. You have included [{email}] more than once.",
                    "personalizations",
                )
                return
        seen_in_call |= seen
    if total > RECIPIENTS_MAX:
        yield Flaw(
            "There is a limit of 1000 total recipients (to + cc + bcc) per request.",
            "personalizations",
        )


def _emails(block: object, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(block, dict):
        return
    for name in ("to", "cc", "bcc"):
        people = block.get(name)
        for person in people if isinstance(people, list) else []:
            if isinstance(person, dict) and isinstance(person.get("email"), str):
                yield person["email"].lower(), f"{path}.{name}"
