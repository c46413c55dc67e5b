import hmac
import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlencode

from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    credentials = b64encode(f"api:{entry['api_key']}".encode()).decode()
    form = [
        ("from", "Desk <desk@mg.example.com>"),
        ("subject", "Prices"),
        ("text", "New prices."),
        ("v:postroom_handover", "%recipient.id%"),
        ("recipient-variables", json.dumps({each: {"id": f"h-{each}"} for each in addresses})),
        *(("to", each) for each in addresses),
    ]
    headers = {
        "Authorization": f"Basic {credentials}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return call(f"{url}/v3/mg.example.com/messages", urlencode(form).encode(), headers)


def _is_proved(post: Received, entry: Entry) -> bool:
    said = json.loads(post.body).get("signature")
    if said is None:
        return False
    proved = f"{said['timestamp']}{said['token']}".encode()
    key = entry["webhook_signing_key"].encode()
    return hmac.compare_digest(hmac.new(key, proved, sha256).hexdigest(), said["signature"])


CLIENT = Client(_send, _is_proved)
