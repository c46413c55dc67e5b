"""`postroom suppress`: who gets no mail, why, and mail again."""

import csv
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from postroom.domain.address import AddressError, parse_domain, suppression_key
from postroom.domain.suppression_list import COLUMNS, ListError, Wrong, read_list
from postroom.ledger import storms, suppression_lists, suppressions
from postroom.management.commands.printing import add_json, print_done, print_json, print_rows
from postroom.management.commands.refusal import Refusal
from postroom.management.commands.times import instant
from postroom.management.workplace import ledger_open
from postroom.reports import suppression_shapes
from postroom.reports.ask import standing_sentence

_LISTED = ("id", "address", "reason", "state", "kind", "source", "created_at", "ends_at")


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    _arrange_people(actions.add_parser("add", help="no more mail to an address"), _add)
    _arrange_people(actions.add_parser("lift", help="mail to an address again"), _lift)
    show = actions.add_parser("show", help="what stands against an address, or did, and why")
    show.add_argument("address")
    listing = actions.add_parser("list", help="the newest suppressions that stand or were lifted")
    listing.add_argument("--limit", type=int, default=100, help="how many (100)")
    into = actions.add_parser("import", help="take over a list in CSV; the same twice adds nothing")
    into.add_argument("file", help="with a line of column names; - is standard input")
    out = actions.add_parser("export", help="all that stand, as a list in CSV")
    out.add_argument("file", nargs="?", default="-", help="standard output unless named")
    undo = actions.add_parser("undo", help="lift all that a domain's failures led to in a while")
    undo.add_argument("--from", dest="start", type=instant, required=True, metavar="TIME")
    undo.add_argument("--to", dest="end", type=instant, required=True, metavar="TIME")
    undo.add_argument("--reason", required=True, help="in your words, for whoever asks later")
    trial = actions.add_parser("try", help="end a domain's quarantine: one trial for each address")
    for one in (undo, trial):
        one.add_argument("--domain", required=True, help="the receiving domain")
    acts = (_show, _list, _import, _export, _undo, _try)
    for one, act in zip((show, listing, into, out, undo, trial), acts, strict=True):
        one.add_argument("--simulated", action="store_true", help="among the simulated deliveries")
        one.set_defaults(act=act)
        add_json(one)


def _arrange_people(parser: ArgumentParser, act: Callable[[Namespace], int]) -> None:
    parser.add_argument("address")
    parser.add_argument("--why", required=True, help="in your words, for whoever asks later")
    parser.add_argument("--simulated", action="store_true", help="among the simulated deliveries")
    add_json(parser)
    parser.set_defaults(act=act)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    with ledger_open():
        status: int = arguments.act(arguments)
    return status


def _key(address: str) -> str:
    try:
        return suppression_key(address)
    except AddressError as error:
        raise Refusal(f"{address}: {error}") from None


def _add(arguments: Namespace) -> int:
    key = _key(arguments.address)
    stands = suppressions.add(
        suppressions.NewSuppression(arguments.simulated, key, "asked", "person", arguments.why)
    )
    print_done(arguments, _as_json(stands), f"{key} gets no more mail.")
    return 0


def _lift(arguments: Namespace) -> int:
    key = _key(arguments.address)
    lifted = suppressions.lift_all(arguments.simulated, key, arguments.why)
    if lifted == 0:
        raise Refusal(f"{key} is not suppressed.")
    print_done(arguments, {"address": key, "lifted": lifted}, f"{key} gets mail again.")
    return 0


def _show(arguments: Namespace) -> int:
    key = _key(arguments.address)
    rows = suppressions.listed(
        address_key=key, simulated=arguments.simulated, before_id=None, limit=100
    )
    stopped = suppressions.not_sent(rows, None)
    if arguments.json:
        print_json([_as_json(one) | {"not_sent": asdict(stopped[one.id])} for one in rows])
        return 0
    if not rows:
        print(f"Nothing ever stood against {key}.")
    for one in rows:
        print(standing_sentence(one))
        if one.lifted_at is not None:
            print(f"  Lifted on {one.lifted_at:%Y-%m-%d} ({one.lifted_by}): {one.lifted_reason}")
        if one.delivery_id is not None:
            print(f"  Evidence: delivery {one.delivery_id}, receipt {one.receipt_id}")
        print(f"  Not sent because of it: {stopped[one.id].count}")
    return 0


def _as_json(one: suppressions.Standing) -> dict[str, object]:
    full = suppression_shapes.suppression(one, None, datetime.now(UTC))
    return suppression_shapes.Suppression.model_validate(full).model_dump(
        mode="json", exclude={"not_sent"}
    )


def _list(arguments: Namespace) -> int:
    rows = suppressions.listed(
        simulated=arguments.simulated, before_id=None, limit=max(1, arguments.limit)
    )
    print_rows(arguments, [{name: _as_json(one)[name] for name in _LISTED} for one in rows])
    return 0


def _import(arguments: Namespace) -> int:
    """Prints each row that is refused as it comes; the status is 1 where there was one."""

    def refuse(wrong: Wrong) -> None:
        print(f"line {wrong.line}: {wrong.detail}", file=sys.stderr)

    try:
        with _reading(arguments.file) as lines:
            done = suppression_lists.take_over(arguments.simulated, read_list(lines), refuse)
    except (ListError, UnicodeError, OSError) as error:
        raise Refusal(f"{arguments.file}: {error}") from None
    print_done(
        arguments,
        asdict(done),
        f"{done.added} added, {done.known} stand already, {done.lifted} were lifted since and stay"
        f" so, {done.refused} refused.",
    )
    return 1 if done.refused else 0


def _reading(name: str) -> TextIO:
    if name == "-":
        return sys.stdin
    return Path(name).open(encoding="utf-8-sig", newline="")


def _export(arguments: Namespace) -> int:
    rows = suppression_lists.standing(arguments.simulated)
    if arguments.json:
        for row in rows:
            print_json({name: text or None for name, text in zip(COLUMNS, row, strict=True)})
    elif arguments.file == "-":
        _write(sys.stdout, rows)
    else:
        with Path(arguments.file).open("w", encoding="utf-8", newline="") as file:
            _write(file, rows)
    return 0


def _write(file: TextIO, rows: Iterable[Sequence[str]]) -> None:
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)


def _domain(written: str) -> str:
    try:
        return parse_domain(written)
    except AddressError as error:
        raise Refusal(f"{written}: {error}") from None


def _undo(arguments: Namespace) -> int:
    domain = _domain(arguments.domain)
    if arguments.end <= arguments.start:
        raise Refusal("--to is not after --from.")
    window = (arguments.start, arguments.end)
    lifted = suppressions.undo(arguments.simulated, domain, *window, arguments.reason)
    print_done(
        arguments,
        {"domain": domain, "lifted": lifted},
        f"{lifted} addresses at {domain} get mail again; what people asked for stays.",
    )
    return 0


def _try(arguments: Namespace) -> int:
    domain = _domain(arguments.domain)
    freed = storms.try_now(arguments.simulated, domain)
    print_done(
        arguments,
        {"domain": domain, "on_probation": freed},
        f"{freed} addresses at {domain} have their one trial with the next mail.",
    )
    return 0
