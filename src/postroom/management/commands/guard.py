"""`postroom guard`: what comes near a line, what is held for it, and letting that go on."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from postroom.domain.guard import Level
from postroom.domain.postmaster import BadRow, Figure, NoFigures, read
from postroom.ledger import guard_cases, postmaster
from postroom.ledger.guard_cases import Case
from postroom.management.commands.printing import add_json, print_done, print_rows
from postroom.management.commands.refusal import Refusal
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="what is near a line, the gravest first")
    add_json(listing)
    listing.set_defaults(act=_list)
    resume = actions.add_parser("resume", help="let what is held go on")
    resume.add_argument("case", type=int, help="its number, as `list` shows it")
    resume.add_argument("--why", required=True, help="what you found; kept with the case")
    add_json(resume)
    resume.set_defaults(act=_resume)
    figures = actions.add_parser(
        "import-postmaster", help="take in figures of Gmail's Postmaster Tools"
    )
    figures.add_argument("file", type=Path, help="CSV with columns for date, domain and spam rate")
    figures.add_argument("--domain", help="whose they are, where no column says so")
    add_json(figures)
    figures.set_defaults(act=_import_postmaster)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    with ledger_open():
        status: int = arguments.act(arguments)
    return status


def _list(arguments: Namespace) -> int:
    print_rows(arguments, [row(case) for case in guard_cases.standing()])
    return 0


def row(case: Case) -> dict[str, object]:
    """A case as it is shown: what, why, since when, whose mail, the numbers."""
    cell = case.cell
    return {
        "case": case.id,
        "level": case.level.name.lower(),
        "application": case.application,
        "communication": case.communication,
        "from_domain": cell.from_domain,
        "account": case.account,
        "kind": cell.kind,
        "waited_for": cell.is_pressing,
        "receiver": cell.receiver,
        "simulated": case.simulated,
        "since_at": case.changed_at,
        "why": case.said,
    }


def _resume(arguments: Namespace) -> int:
    if not guard_cases.resume(arguments.case, arguments.why):
        held = [case.id for case in guard_cases.standing() if case.level is Level.PAUSE]
        known = ", ".join(map(str, held)) or "none"
        raise Refusal(f"Case {arguments.case} holds nothing; held are: {known}.")
    print_done(
        arguments,
        {"case": arguments.case, "resumed": True},
        f"Case {arguments.case} goes on; it is judged anew by what is handed over from now on.",
    )
    return 0


def _import_postmaster(arguments: Namespace) -> int:
    """0 when every row was taken in, else 1; the rows that were not are told on standard error."""
    try:
        with arguments.file.open(encoding="utf-8", newline="") as lines:
            rows = list(read(lines, arguments.domain))
    except (OSError, UnicodeDecodeError, NoFigures) as error:
        raise Refusal(f"{arguments.file}: {error}.") from None
    figures = [row for row in rows if isinstance(row, Figure)]
    bad = [row for row in rows if isinstance(row, BadRow)]
    postmaster.keep(figures)
    for one in bad:
        print(f"postroom: line {one.line}: {one.why}", file=sys.stderr)
    told = {"imported": len(figures), "refused": len(bad)}
    print_done(arguments, told, f"{len(figures)} figures are taken in, {len(bad)} rows are not.")
    return int(bool(bad))
