"""Notifications that tell of no mail of ours, properly signed; and lies about mails of ours."""

import json
import time
import urllib.error
import urllib.request
from uuid import uuid4

from postroom.simulator.faces.sendgrid.signing import Signer
from postroom.simulator.truth import load
from tests.faults.scene import Scene

_LIES_MAX = 20


def notices_of_unknown_mail(scene: Scene) -> None:
    """The provider tells of mails that were never handed to it, and of ids that are none."""
    signer = Signer.from_pem(_config(scene)["signing_private_key"])
    for _ in scene.moments("unknown mail", 2 * scene.scale.times):
        ids = [str(uuid4()), "no id", ""]
        body = json.dumps([_event(id, f"stranger-{n}@sim.example") for n, id in enumerate(ids)])
        with scene.fault("notices: unknown mail"):
            _post(scene, body.encode(), signer.headers(body.encode(), time.time()))


def forged_notices(scene: Scene) -> None:
    """Somebody who has no key tells that mails bounced which the provider has just taken."""
    stranger = Signer.fresh()
    for dice in scene.moments("forged", 2 * scene.scale.times):
        copies = [one.copy for one in load(scene.place.truth).copies.values()]
        chosen = dice.sample(copies, min(len(copies), _LIES_MAX))
        body = json.dumps([_event(one.handover or "", one.recipient) for one in chosen]).encode()
        with scene.fault("notices: forged"):
            status = _post(scene, body, stranger.headers(body, time.time()))
        assert status in (0, 401, 503), f"a forged notice was answered {status}"


def _event(handover: str, recipient: str) -> dict[str, object]:
    return {
        "email": recipient,
        "postroom_handover": handover,
        "event": "bounce",
        "type": "bounce",
        "reason": "550 5.1.1 no such user",
        "status": "5.1.1",
        "timestamp": int(time.time()),
        "sg_event_id": uuid4().hex,
    }


def _post(scene: Scene, body: bytes, proof: dict[str, str]) -> int:
    """The status of the answer; 0 when nobody answered."""
    headers = {"Content-Type": "application/json", **proof}
    request = urllib.request.Request(_config(scene)["webhook_url"], body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except OSError:
        return 0


def _config(scene: Scene) -> dict[str, str]:
    config: dict[str, str] = json.loads((scene.installation.data / "simulator.json").read_text())
    return config
