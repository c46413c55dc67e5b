"""The command `postroom`: parses, dispatches, and turns expected trouble into one line."""

import argparse
import os
import select
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from postroom import __version__


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: what it does, and the module (of `management.commands`) that does it."""

    name: str
    summary: str

    def module(self) -> ModuleType:
        """Gives the module; only that of the command asked for is ever imported."""
        return import_module(f"postroom.management.commands.{self.name}")


COMMANDS = {
    command.name: command
    for command in (
        Command("demo", "see everything at work with a simulated provider"),
        Command("up", "run everything on this machine; Ctrl-C stops it"),
        Command("run", "run one role"),
        Command("doctor", "what is configured, reachable, missing"),
        Command("migrate", "bring the database to this release"),
        Command("app", "applications and their networks"),
        Command("key", "keys of applications"),
        Command("account", "provider accounts"),
        Command("route", "which accounts carry which mail, and who takes over"),
        Command("drill", "rehearse a failure, with simulated accounts"),
        Command("domain", "sender domains: what to publish in DNS, and where it stands"),
        Command("send", "submit one mail"),
        Command("message", "cancel, hold or release what was not handed over"),
        Command("pause", "hand over nothing more of an application or a communication"),
        Command("resume", "let what is paused go on"),
        Command("guard", "what comes near a provider's lines, and what is held for it"),
        Command("suppress", "no more mail to an address, or mail again"),
        Command("replay", "read all stored notifications again, with today's rules"),
        Command("pull", "fetch a provider's events again that may never have reached us"),
        Command("ask", "did it reach this person, and if not, why not?"),
        Command("report", "what a communication achieved, as a table that adds up"),
        Command("top", "what is on its way out, at what pace, and what it waits for; live"),
        Command("verify", "recompute verdicts and totals from the facts, and compare"),
        Command("decode", "what a provider's notification means"),
        Command("dsn", "what a mail that came back means"),
    )
}


def main(words: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 not done (one line on standard error says why), 2 misused.

    As a shell reports signals, 130 after Ctrl-C, and 141 when nobody reads our output any more.
    """
    try:
        try:
            return _main(words)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _drop_unread():
            raise
        return 141


def _main(words: Sequence[str] | None) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.settings")
    given = sys.argv[1:] if words is None else list(words)
    arguments = _parser(given).parse_args(given)
    module: ModuleType = arguments.module
    try:
        status: int = module.run(arguments)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not _is_expected(error):
            raise
        print(f"postroom: {_sentence(error)}", file=sys.stderr)
        return 1
    return status


def _drop_unread() -> bool:
    """Whether it is our output that nobody reads; what is left of it goes nowhere then.

    Otherwise the interpreter would try once more at its end, and complain.
    """
    unread = [stream for stream in (sys.stdout, sys.stderr) if not _has_reader(stream.fileno())]
    for stream in unread:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
    return bool(unread)


def _has_reader(descriptor: int) -> bool:
    asking = select.poll()
    asking.register(descriptor, 0)  # a missing reader is told unasked
    return not any(told & (select.POLLERR | select.POLLHUP) for _, told in asking.poll(0))


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="postroom",
        description="Submit mail, and know what became of each piece.",
    )
    parser.add_argument("--version", action="version", version=f"postroom {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS.values():
        one = commands.add_parser(command.name, help=command.summary, description=command.summary)
        if command.name in given[:1]:
            module = command.module()
            module.arrange(one)
            one.set_defaults(module=module)
    return parser


def _is_expected(error: Exception) -> bool:
    """Whether the error is no defect of ours: its own message is all that is needed."""
    from django.db import OperationalError

    from postroom.ledger.accounts import SealBroken
    from postroom.ledger.db import LedgerUnavailable
    from postroom.management.commands.refusal import Refusal
    from postroom.management.embedded import DatabaseUnavailable
    from postroom.management.environment import ConfigurationError

    return isinstance(
        error,
        ConfigurationError
        | DatabaseUnavailable
        | LedgerUnavailable
        | OperationalError
        | Refusal
        | SealBroken,
    )


def _sentence(error: Exception) -> str:
    from django.db import OperationalError

    if isinstance(error, OperationalError):
        return f"The database does not answer: {str(error).strip()}"
    return str(error).strip() or (type(error).__doc__ or type(error).__name__).strip()


if __name__ == "__main__":
    sys.exit(main())
