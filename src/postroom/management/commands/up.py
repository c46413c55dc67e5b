"""`postroom up`: the database, its upgrade, the first start, and all roles."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from django.conf import settings

from postroom.management import embedded, first_start, probes
from postroom.management.migrate import migrate
from postroom.management.probes import reachable_host
from postroom.management.roles import ROLES
from postroom.management.supervisor import Child, Supervisor, role_command, say
from postroom.management.workplace import database_up, ledger_open

_DATABASE_STOP_S_MAX = 20.0


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument(
        "--without",
        metavar="ROLE",
        action="append",
        default=[],
        choices=ROLES,
        help="leave one role out (may be repeated)",
    )


def run(arguments: Namespace) -> int:
    """Runs everything until SIGTERM or SIGINT."""
    with database_up():
        left_out = set(arguments.without)
        if not _prepare():
            left_out.add("simulator")
        _say_where()
        children = [
            Child(role.name, role_command(role.name))
            for role in ROLES.values()
            if role.name not in left_out
        ]
        awaited = {role: is_open for role, is_open in doors().items() if role not in left_out}
        Supervisor(children, awaited, _tend_database).run()
    return _say_goodbye()


def _prepare() -> bool:
    """Whether the simulator runs here; the database is that of this release afterwards."""
    with ledger_open(any_release=True):
        applied = migrate()
        if applied:
            say(f"The database was upgraded ({applied} migrations).")
        sandbox = first_start.make_sandbox()
        if sandbox is not None:
            say("First start: the application `sandbox` has this test key, shown only now:")
            say(f"  {sandbox.key}")
            say(f"  (by SMTP: user {sandbox.id}, password {sandbox.secret})")
        return first_start.settle_simulator()


def _say_where() -> None:
    database = "embedded" if settings.POSTROOM_EMBEDDED else "DATABASE_URL"
    say(f"Database   {database}")
    say(f"HTTP       http://{settings.POSTROOM_BIND}:{settings.POSTROOM_HTTP_PORT}")
    say(f"SMTP       {settings.POSTROOM_BIND}:{settings.POSTROOM_SMTP_PORT}")
    if settings.POSTROOM_SMTPS_PORT is not None:
        say(f"SMTPS      {settings.POSTROOM_BIND}:{settings.POSTROOM_SMTPS_PORT}")
    if settings.POSTROOM_SMTP_RELAY_PORT is not None:
        say(f"Relay      {settings.POSTROOM_BIND}:{settings.POSTROOM_SMTP_RELAY_PORT}")
    say(f"Simulator  http://127.0.0.1:{settings.POSTROOM_SIMULATOR_PORT}")
    say(f"Data       {settings.POSTROOM_DATA}")


def doors() -> dict[str, Callable[[], bool]]:
    """Whether each door of this installation is open."""
    host = reachable_host(settings.POSTROOM_BIND)
    return {
        "web": lambda: probes.answers_http(host, settings.POSTROOM_HTTP_PORT),
        "smtp": lambda: probes.listens(host, settings.POSTROOM_SMTP_PORT),
        "simulator": lambda: probes.listens("127.0.0.1", settings.POSTROOM_SIMULATOR_PORT),
    }


def _tend_database() -> None:
    if not settings.POSTROOM_EMBEDDED:
        return
    try:
        embedded.ensure(settings.POSTROOM_DATA)
    except embedded.DatabaseUnavailable as trouble:
        say(str(trouble))  # the roles answer 503 and 451 meanwhile; the next look tries


def _say_goodbye() -> int:
    if settings.POSTROOM_EMBEDDED and not embedded.wait_until_stopped(
        settings.POSTROOM_DATA, _DATABASE_STOP_S_MAX
    ):
        say("The database goes on: another command still uses it.")
    say("Stopped.")
    return 0
