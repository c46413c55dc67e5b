"""`postroom replay`: reads all stored notifications again, with today's rules."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import groupby

from postroom.domain.reason_texts import shape_of
from postroom.feedback import interpreter
from postroom.ledger import unclassified
from postroom.ledger.events import Change
from postroom.management.commands.printing import add_json, print_json, print_rows, print_table
from postroom.management.workplace import ledger_open

Row = dict[str, object]

WORDS_SHOWN_CHARS = 200


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument(
        "--reasons", action="store_true", help="show what is read otherwise than before"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would change, and change nothing"
    )
    parser.add_argument(
        "--unclassified",
        action="store_true",
        help="list the texts that lead to no reason, grouped; reads nothing again",
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Facts stay as they are; their reading, and the verdicts that rest on it, are renewed."""
    with ledger_open():
        if arguments.unclassified:
            print_rows(arguments, grouped(unclassified.texts()))
        else:
            _replay(arguments)
    return 0


def _replay(arguments: Namespace) -> None:
    replayed = interpreter.replay(keep=not arguments.dry_run)
    rows = changed(replayed.changes) if arguments.reasons or arguments.dry_run else []
    if arguments.json:
        print_json({"receipts": replayed.receipts, "new_events": replayed.new, "changes": rows})
        return
    would = "would be" if arguments.dry_run else "were"
    print_table(rows)
    print(
        f"{replayed.receipts} notifications {would} read again;"
        f" {sum(replayed.changes.values())} events {would} read otherwise, {replayed.new} new."
    )


def changed(changes: Mapping[Change, int]) -> list[Row]:
    """The changes as rows, the most frequent first."""
    ordered = sorted(changes.items(), key=lambda one: (-one[1], str(one[0])))
    return [{"events": events, **asdict(change)} for change, events in ordered]


def grouped(texts: Iterable[unclassified.Unclassified]) -> list[Row]:
    """The texts by what they have in common, the most frequent first; no addresses in them."""
    ordered = sorted(texts, key=_group)
    rows = [_row(list(alike)) for _, alike in groupby(ordered, key=_group)]
    return sorted(rows, key=lambda row: -int(str(row["events"])))


def _group(one: unclassified.Unclassified) -> tuple[str, str, str, str]:
    code = str(one.reply_code or "")
    return one.provider, code, one.enhanced_code or "", shape_of(one.text)


def _row(alike: list[unclassified.Unclassified]) -> Row:
    first = alike[0]
    return {
        "events": sum(one.events for one in alike),
        "provider": first.provider,
        "reply_code": first.reply_code,
        "enhanced_code": first.enhanced_code,
        "newest": max(one.newest for one in alike),
        "words": shape_of(first.text)[:WORDS_SHOWN_CHARS],
    }
