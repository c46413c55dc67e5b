"""A person stops the mail to addresses for which some waits at that moment."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime

import psycopg

from tests.faults.scene import Scene

_AT_ONCE = 5
_NEWEST_WAITING = """
SELECT recipient FROM delivery WHERE stage = 'queued' ORDER BY id DESC LIMIT %s
"""


def suppressions(scene: Scene) -> None:
    """Suppresses the addresses whose mails came last and wait the longest from now on."""
    for _ in scene.moments("suppressions", 2 * scene.scale.times):
        with scene.fault("addresses suppressed"):
            for address in _waiting(scene):
                if _is_suppressed(scene, address):
                    scene.suppressed.setdefault(address, datetime.now(UTC))


def _waiting(scene: Scene) -> list[str]:
    """None while the database is away."""
    try:
        with psycopg.connect(scene.installation.dsn) as connection:
            return [address for (address,) in connection.execute(_NEWEST_WAITING, (_AT_ONCE,))]
    except psycopg.OperationalError:
        return []


def _is_suppressed(scene: Scene, address: str) -> bool:
    """Whether that was acknowledged; where it was not, it may stand all the same."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{scene.installation.http_port}/v1/suppressions",
        json.dumps({"address": address, "reason": "asked to be left alone"}).encode(),
        {"Authorization": f"Bearer {scene.clients.key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bool(answer.status == 201)
    except urllib.error.HTTPError as refused:
        with refused:
            if refused.code != 503:
                scene.clients.strange.append(f"a suppression was answered {refused.code}")
    except OSError:
        pass  # the door is shut, as it may be at a fault
    return False
