"""`postroom doctor`: what is configured, reachable, missing."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from postroom.management import embedded
from postroom.management.commands.printing import add_json, print_json
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Looks at everything; 1 when something needed is missing."""
    from postroom.management.doctor import Finding, Level, examine, look_at_data

    try:
        with ledger_open(any_release=True):
            findings = list(examine())
    except embedded.DatabaseUnavailable as error:
        findings = [*look_at_data(), Finding(Level.MISSING, "database", str(error))]
    if arguments.json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{finding.level:<8} {finding.about:<11} {finding.said}")
    return int(any(finding.level is Level.MISSING for finding in findings))
