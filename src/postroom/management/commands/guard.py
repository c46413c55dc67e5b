"""`postroom guard`: what comes near a line, what is held for it, and letting that go on."""

from argparse import ArgumentParser, Namespace

from postroom.domain.guard import Level
from postroom.ledger import guard_cases
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
        "operator": cell.operator,
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
