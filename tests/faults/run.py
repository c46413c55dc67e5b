"""One run: real processes, mails over both doors, kills, and what is known in the end."""

import json
import shutil
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from postroom.management import embedded
from postroom.simulator import truth
from tests.faults.clients import Clients
from tests.faults.evidence import Evidence, KeptDelivery, KeptHandover, KeptMessage
from tests.faults.killer import Killer
from tests.faults.mails import COMMUNICATION, mails
from tests.faults.scale import MISCHIEF, SETTINGS, Scale
from tests.helpers import eventually
from tests.installation import Installation, installed

_OVERTIME = 4
"""How many times its own length a run may last: machines are slow, and kills pile up."""

_AT_WORK = """
SELECT (SELECT count(*) FROM delivery
         WHERE stage IN ('accepted', 'scheduled', 'queued', 'submitting')
            OR stage = 'handed'
               AND COALESCE(verdict, '') NOT IN
                   ('delivered', 'bounced', 'rejected', 'suppressed', 'unconfirmed'))
     + (SELECT count(*) FROM receipt WHERE stage = 'new')
"""


def run(seed: int, scale: Scale, keep: Path | None = None) -> Evidence:
    """What is known after mails and kills, when all is at rest.

    `keep` is a directory that then holds the installation's log and the truth log.
    """
    simulator = {"seed": seed, "mischief": {**MISCHIEF, "seed": seed}}
    with installed(simulator, **SETTINGS) as installation:
        evidence = _run(installation, seed, scale)
        installation.stop()
        evidence.log = installation.log
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(installation.data / "up.log", keep)
            shutil.copy(installation.data / "truth.jsonl", keep)
    return evidence


def _run(installation: Installation, seed: int, scale: Scale) -> Evidence:
    clients, killer = _clients(installation), Killer(installation, seed)
    with ThreadPoolExecutor(2) as pool:
        ends = [
            pool.submit(clients.submit, mails(seed, scale), scale.lasts_s),
            pool.submit(killer.kill, scale),
        ]
        try:
            for end in ends:
                end.result(_OVERTIME * scale.lasts_s)
        finally:
            clients.closing.set()
            killer.closing.set()
    evidence = Evidence(clients.acknowledged, clients.strange, killer.faults)
    with suppress(AssertionError):  # the checks say of each delivery what is still open
        eventually(lambda: _is_at_rest(installation), scale.rest_s_max, every_s=0.5)
    _gather(installation, evidence)
    return evidence


def _clients(installation: Installation) -> Clients:
    installation.cli("app", "add", "faults", "--join-repeats")
    made = json.loads(
        installation.cli("key", "create", "faults", "--kind", "test", "--scope", "send", "--json")
    )
    return Clients(installation, made["key"], (made["id"], made["secret"]))


def _is_at_rest(installation: Installation) -> bool:
    """Whether the simulator has nothing more to tell and the ledger nothing more to do."""
    counts = _simulator_counts(installation)
    if counts is None or counts["pending"] or counts["batches"]["waiting"]:
        return False
    return _rows(installation, _AT_WORK) == [(0,)]


def _simulator_counts(installation: Installation) -> Any | None:
    """What the simulator still has to do; None while it does not answer."""
    key = json.loads((installation.data / "simulator.json").read_text())["api_key"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{installation.simulator_port}/_simulator/truth",
        headers={"Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)
    except urllib.error.URLError:
        return None


def _gather(installation: Installation, evidence: Evidence) -> None:
    evidence.messages = _table(installation, _MESSAGES, _message)
    evidence.deliveries = _table(installation, _DELIVERIES, KeptDelivery)
    handovers = _table(installation, _HANDOVERS, KeptHandover, call_s=_CALL_MAX)
    evidence.handovers = {str(id): one for id, one in handovers.items()}
    evidence.report = json.loads(installation.try_cli("report", COMMUNICATION, "--json").stdout)
    verified = installation.try_cli("verify")
    if verified.returncode != 0:
        evidence.verified = verified.stdout + verified.stderr
    evidence.truth = truth.load(installation.data / "truth.jsonl")


_MESSAGES = """
SELECT message.id, recipients, duplicates, blob.zlib
  FROM message
  LEFT JOIN blob ON blob.message_id = message.id AND blob.digest = submission_digest
"""
_DELIVERIES = """
SELECT id, message_id, recipient, CASE stage WHEN 'handed' THEN verdict ELSE stage END
  FROM delivery
"""
_HANDOVERS = """
SELECT handover.id, delivery_id, attempt_id, COALESCE(handover.outcome, attempt.outcome),
       attempt.begun_at, LEAST(attempt.ended_at, attempt.begun_at + %(call_s)s)
  FROM handover
  JOIN attempt ON attempt.id = attempt_id
"""
_CALL_MAX = timedelta(seconds=float(SETTINGS["POSTROOM_CALL_TIMEOUT_S"]) + 1)
"""No call lasts longer, however late its end was found after its sender was killed."""


def _message(recipients: int, duplicates: int, kept: bytes) -> KeptMessage:
    return KeptMessage(recipients, duplicates, sha256(zlib.decompress(kept)).hexdigest())


def _table(
    installation: Installation, query: Any, make: Callable[..., Any], **values: object
) -> dict[UUID, Any]:
    return {id: make(*columns) for id, *columns in _rows(installation, query, **values)}


def _rows(installation: Installation, query: Any, **values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(embedded.dsn(installation.data)) as connection:
        return connection.execute(query, values).fetchall()
