"""One run: real processes, mails over both doors, faults, and what is known in the end."""

import json
import shutil
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from traceback import format_exception
from typing import Any
from uuid import UUID

import psycopg

from postroom.simulator import truth
from tests.faults import memory
from tests.faults.clients import Clients
from tests.faults.evidence import Evidence, KeptDelivery, KeptHandover, KeptMessage
from tests.faults.mails import COMMUNICATION, PRIVATE, mails
from tests.faults.occasions import Occasion
from tests.faults.place import Place, prepared
from tests.faults.scale import SETTINGS
from tests.faults.scene import Scene, Trouble
from tests.helpers import eventually
from tests.installation import Installation

_OVERTIME_S_MAX = 300.0
"""How much longer than meant trouble and clients may take: machines are slow, faults pile up."""

_SCOPES = ("--scope=send", "--scope=manage")
_AT_WORK = """
SELECT (SELECT count(*) FROM delivery
         WHERE stage IN ('accepted', 'scheduled', 'queued', 'submitting')
            OR stage = 'handed'
               AND COALESCE(verdict, '') NOT IN
                   ('delivered', 'bounced', 'rejected', 'suppressed', 'unconfirmed'))
     + (SELECT count(*) FROM receipt WHERE stage = 'new')
"""


def run(occasion: Occasion, seed: int, keep: Path | None = None) -> Evidence:
    """What is known after mails and faults, when all is at rest.

    `keep` is a directory that then holds the installation's log and the truth log.
    """
    with prepared(occasion.ground, seed) as place:
        try:
            evidence = _run(occasion, place, seed)
        finally:
            place.installation.stop()
            if keep is not None:
                _keep(place, keep)
        evidence.log = place.installation.log
    return evidence


def _keep(place: Place, where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True)
    for file in (place.installation.log_file, place.truth):
        shutil.copy(file, where)


def _run(occasion: Occasion, place: Place, seed: int) -> Evidence:
    installation, ground = place.installation, occasion.ground
    clients = _clients(installation)
    scene = Scene(place, clients, occasion.scale, seed)
    with memory.watched(place) as peaks:
        _make_trouble(scene, occasion.troubles)
        with suppress(AssertionError):  # the checks say of each delivery what is still open
            eventually(lambda: _is_at_rest(installation), scene.scale.rest_s_max, every_s=0.5)
    evidence = Evidence(
        clients.acknowledged,
        clients.strange,
        scene.faults,
        suppressed=scene.suppressed,
        memory_mb=peaks,
        calls_per_s=ground.calls_per_s,
        arrives_before_s=ground.arrives_before_s,
    )
    _gather(place, evidence)
    evidence.canaries = (clients.key.rsplit("_", 1)[1], *_secrets(installation), *PRIVATE)
    return evidence


def _make_trouble(scene: Scene, troubles: Sequence[Trouble]) -> None:
    """Returns when all mails were submitted and all trouble is over.

    Trouble that broke off is among what is strange: what there was of it is checked all the same.
    """
    scale, clients = scene.scale, scene.clients
    with ExitStack() as at_work:
        for role in scene.place.more:
            at_work.enter_context(scene.fault(f"two at work: {role}"))
        pool = at_work.enter_context(ThreadPoolExecutor(1 + len(troubles), "trouble"))
        ends = [pool.submit(clients.submit, mails(scene.seed, scale), scale.lasts_s)]
        ends += [pool.submit(trouble, scene) for trouble in troubles]
        try:
            for end in ends:
                if error := end.exception(scale.lasts_s + _OVERTIME_S_MAX):
                    clients.strange.append("".join(format_exception(error)))
        finally:
            clients.closing.set()
            scene.closing.set()


def _clients(installation: Installation) -> Clients:
    installation.cli("app", "add", "faults", "--join-repeats")
    made = json.loads(
        installation.cli("key", "create", "faults", "--kind", "test", *_SCOPES, "--json")
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


def _secrets(installation: Installation) -> list[str]:
    """What the providers and we know of one another."""
    config = json.loads((installation.data / "simulator.json").read_text())
    accounts = [config, *config.get("faces", {}).values()]
    keys = [account.get("api_key") or account["server_token"] for account in accounts]
    return keys + [account["webhook_url"].rsplit("/", 1)[1] for account in accounts]


def _gather(place: Place, evidence: Evidence) -> None:
    installation = place.installation
    evidence.messages = _table(installation, _MESSAGES, _message)
    evidence.deliveries = _table(installation, _DELIVERIES, KeptDelivery)
    handovers = _table(installation, _HANDOVERS, KeptHandover, call_s=_CALL_MAX)
    evidence.handovers = {str(id): one for id, one in handovers.items()}
    evidence.report = json.loads(installation.try_cli("report", COMMUNICATION, "--json").stdout)
    verified = installation.try_cli("verify")
    if verified.returncode != 0:
        evidence.verified = verified.stdout + verified.stderr
    ((evidence.oldest_due_s,),) = _rows(installation, _OLDEST_DUE)
    evidence.truth = truth.load(place.truth)


_OLDEST_DUE = """
SELECT COALESCE(EXTRACT(EPOCH FROM now() - min(due_at)), 0)::float8
  FROM delivery
 WHERE stage = 'queued'
"""
_MESSAGES = """
SELECT message.id, recipients, duplicates, blob.zlib, accepted_at
  FROM message
  LEFT JOIN blob ON blob.message_id = message.id AND blob.digest = submission_digest
"""
_DELIVERIES = """
SELECT id, message_id, recipient, CASE stage WHEN 'handed' THEN verdict ELSE stage END
  FROM delivery
"""
_HANDOVERS = """
SELECT handover.id, delivery_id, attempt_id, COALESCE(handover.outcome, attempt.outcome),
       attempt.begun_at, LEAST(attempt.ended_at, attempt.begun_at + %(call_s)s),
       COALESCE(told.first_at < attempt.ended_at, false)
  FROM handover
  JOIN attempt ON attempt.id = attempt_id
  LEFT JOIN (SELECT handover_id, min(received_at) AS first_at
               FROM event
              WHERE receipt_id IS NOT NULL
              GROUP BY handover_id) AS told
    ON told.handover_id = handover.id
"""
_CALL_MAX = timedelta(seconds=float(SETTINGS["POSTROOM_CALL_TIMEOUT_S"]) + 1)
"""No call lasts longer, however late its end was found after its sender was killed."""


def _message(recipients: int, duplicates: int, kept: bytes, accepted_at: datetime) -> KeptMessage:
    digest = sha256(zlib.decompress(kept)).hexdigest()
    return KeptMessage(recipients, duplicates, digest, accepted_at)


def _table(
    installation: Installation, query: Any, make: Callable[..., Any], **values: object
) -> dict[UUID, Any]:
    return {id: make(*columns) for id, *columns in _rows(installation, query, **values)}


def _rows(installation: Installation, query: Any, **values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(installation.dsn) as connection:
        return connection.execute(query, values).fetchall()
