"""Another provider than the usual one, for an installation that is already running."""

import json
import os
import signal
import subprocess
import sys

from tests.conformance.providers import account_settings, new_entry, webhook_url
from tests.helpers import eventually
from tests.installation import Installation

_RESTARTED_S_MAX = 30.0
_ADD = """
import json, sys
from postroom.management.workplace import ledger_open
name = sys.argv[1]
with ledger_open():
    from postroom.ledger import accounts
    print(accounts.add(name, name, True, json.load(sys.stdin)))
"""


def carried_by(installation: Installation, provider: str) -> None:
    """From now on all mail goes through this provider: the simulator is that one too."""
    file = installation.data / "simulator.json"
    config = json.loads(file.read_text())
    base = f"http://127.0.0.1:{installation.simulator_port}/{provider}"
    entry = new_entry(provider, base)
    secret = _add(
        installation, provider, account_settings(provider, entry, base, config["smtp_port"])
    )
    path = f"/feedback/{provider}/{secret}"
    entry["webhook_url"] = webhook_url(provider, installation.http_port, path)
    file.write_text(json.dumps(config | {"faces": {provider: entry}}))
    _restart_simulator(installation)
    installation.cli("account", "stop", "simulator")


def _add(installation: Installation, provider: str, settings: dict[str, str]) -> str:
    """The secret of its webhook; the command line makes accounts for real mail only."""
    done = subprocess.run(
        [sys.executable, "-c", _ADD, provider],
        env=installation.environment,
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _restart_simulator(installation: Installation) -> None:
    old = installation.role_pid("simulator")
    assert old is not None
    os.kill(old, signal.SIGTERM)
    eventually(lambda: installation.role_pid("simulator") not in (None, old), _RESTARTED_S_MAX)
