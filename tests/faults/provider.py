"""A provider that errs: every status, half-answers and silence, one after the other."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.faults.scene import Scene
from tests.installation import Installation

Mischief = Mapping[str, object]

_LASTS = (0.3, 0.8)
"""The part of its share of the run that each trouble lasts."""
_STOPPED_AFTER_S = 2.0
"""A call that was answered 401 at the last moment has stopped the account by then."""

_BY_HAND = "stopped by an operator"

_REFUSALS = {
    str(status): {"refuse": 0.7, "refuse_status": status} for status in (400, 401, 413, 421)
}
_ERRORS: dict[str, Mischief] = {
    "429": {"too_many": 0.7},
    "429, Retry-After": {"too_many": 0.7, "retry_after_s": 2},
    "503": {"error_before": 0.7, "error_status": 503},
    "503, Retry-After": {"error_before": 0.7, "error_status": 503, "retry_after_s": 2},
    **{f"{s}, not taken": {"error_before": 0.7, "error_status": s} for s in (500, 502, 504)},
    **{f"{s}, and taken": {"error_after": 0.7, "error_status": s} for s in (500, 502, 504)},
}
_SILENCES: dict[str, Mischief] = {
    "no answer, not taken": {"hang_before": 0.7},
    "no answer, and taken": {"hang_after": 0.7},
    "connection lost, not taken": {"drop_before": 0.7},
    "connection lost, and taken": {"drop_after": 0.7},
}
_HALVES: dict[str, Mischief] = {
    "half a header": {"half_answer": 0.7},
    "half a body": {"half_body": 0.7},
    "a web page for an answer": {"wrong_type": 0.7},
    "fewer results than recipients": {"fewer_results": 0.7},
}
_ERRING: dict[str, Mischief] = {**_ERRORS, **_REFUSALS, **_SILENCES, **_HALVES}


def answers_that_err(scene: Scene) -> None:
    """Every kind of trouble that a provider may make over HTTP, at least once each."""
    before = set_mischief(scene.installation, None)
    times = len(_ERRING) * max(1, scene.scale.times // 4)
    for number, dice in enumerate(scene.moments("provider", times)):
        name = list(_ERRING)[number % len(_ERRING)]
        with scene.fault(f"provider: {name}", breaks_calls=True):
            seed = {"seed": scene.seed + number}
            set_mischief(scene.installation, {**before, **_ERRING[name], **seed})
            scene.pause(dice.uniform(*_LASTS) * scene.scale.lasts_s / times)
            set_mischief(scene.installation, before)
        if name == "401":
            _use_again(scene)


def _use_again(scene: Scene) -> None:
    """What an operator does about a key that the provider did not know for a while."""
    scene.pause(_STOPPED_AFTER_S)
    for account in json.loads(scene.installation.cli("account", "list", "--json")):
        if account["stopped"] not in (None, _BY_HAND):
            scene.installation.cli("account", "restart", account["name"])


def set_mischief(installation: Installation, mischief: Mischief | None) -> dict[str, Any]:
    """The simulator's mischief from now on; None: as it is."""
    key = json.loads((installation.data / "simulator.json").read_text())["api_key"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{installation.simulator_port}/_simulator/mischief",
        data=None if mischief is None else json.dumps(mischief).encode(),
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        in_force: dict[str, Any] = json.load(answer)
    return in_force
