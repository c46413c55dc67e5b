"""`postroom doctor`: what is configured, reachable, missing."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from postroom.domain.address import AddressError, parse_domain
from postroom.management import embedded
from postroom.management.commands.printing import add_json, print_json
from postroom.management.commands.refusal import Refusal
from postroom.management.workplace import ledger_open

if TYPE_CHECKING:
    from postroom.management.doctor import Finding


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument(
        "about", nargs="*", metavar="domain DOMAIN", help="only what mail from this domain needs"
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Looks at everything; 1 when something needed is missing."""
    from postroom.management.doctor import Level

    findings = _of_domain(arguments.about) if arguments.about else _of_everything()
    if arguments.json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{finding.level:<8} {finding.about:<11} {finding.said}")
    return int(any(finding.level is Level.MISSING for finding in findings))


def _of_everything() -> list[Finding]:
    from postroom.management.doctor import Finding, Level, examine, look_at_data

    try:
        with ledger_open(any_release=True):
            return list(examine())
    except embedded.DatabaseUnavailable as error:
        return [*look_at_data(), Finding(Level.MISSING, "database", str(error))]


def _of_domain(words: Sequence[str]) -> list[Finding]:
    from postroom.management import domain_check

    if len(words) != 2 or words[0] != "domain":
        raise Refusal("Write `postroom doctor`, or `postroom doctor domain example.com`.")
    try:
        domain = parse_domain(words[1])
    except AddressError as error:
        raise Refusal(f"{words[1]}: {error}") from None
    with ledger_open():
        return domain_check.look(domain)
