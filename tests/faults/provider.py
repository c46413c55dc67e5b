"""A provider that errs: every status, half-answers and silence, one after the other."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.faults.scene import Scene
from tests.helpers import eventually
from tests.installation import Installation

Mischief = Mapping[str, object]

_LASTS = (0.3, 0.8)
"""The part of its share of the run that each trouble lasts."""
_USED_AGAIN_S_MAX = 180.0
_STOPPED_AFTER_S = 2.0
"""A call that was answered 401 at the last moment has stopped the account by then."""

_SHARE = 0.4
"""Of the calls: enough that some meet it again and again, and few enough that most come through."""
_BY_HAND = "stopped by an operator"

_REFUSALS = {
    str(status): {"refuse": _SHARE, "refuse_status": status} for status in (400, 401, 413, 421)
}
_ERRORS: dict[str, Mischief] = {
    "503": {"error_before": _SHARE, "error_status": 503},
    "503, Retry-After": {"error_before": _SHARE, "error_status": 503, "retry_after_s": 2},
    **{f"{s}, not taken": {"error_before": _SHARE, "error_status": s} for s in (500, 502, 504)},
    **{f"{s}, and taken": {"error_after": _SHARE, "error_status": s} for s in (500, 502, 504)},
}
_THROTTLES: dict[str, Mischief] = {
    "429": {"too_many": _SHARE},
    "429, Retry-After": {"too_many": _SHARE, "retry_after_s": 2},
}
"""The last: they teach us a pace, at which all that still waits then goes."""
_SILENCES: dict[str, Mischief] = {
    "no answer, not taken": {"hang_before": _SHARE},
    "no answer, and taken": {"hang_after": _SHARE},
    "connection lost, not taken": {"drop_before": _SHARE},
    "connection lost, and taken": {"drop_after": _SHARE},
}
_HALVES: dict[str, Mischief] = {
    "half a header": {"half_answer": _SHARE},
    "half a body": {"half_body": _SHARE},
    "a web page for an answer": {"wrong_type": _SHARE},
    "fewer results than recipients": {"fewer_results": _SHARE},
}
_ERRING: dict[str, Mischief] = {
    **_REFUSALS,
    **_ERRORS,
    **_SILENCES,
    **_HALVES,
    **_THROTTLES,
}


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
    eventually(lambda: _is_used_again(scene), _USED_AGAIN_S_MAX, every_s=1.0)


def _is_used_again(scene: Scene) -> bool:
    """Whether none is stopped by its provider any more; no command helps while the disk is full."""
    listed = scene.installation.try_cli("account", "list", "--json")
    if listed.returncode != 0:
        return False
    accounts = json.loads(listed.stdout)
    stopped = [one["name"] for one in accounts if one["stopped"] not in (None, _BY_HAND)]
    restarts = [scene.installation.try_cli("account", "restart", name) for name in stopped]
    return all(done.returncode == 0 for done in restarts)


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
