from base64 import b64encode
from collections.abc import Sequence

from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    recipients = [
        {"address": {"email": each}, "metadata": {"postroom_handover": f"h-{each}"}}
        for each in addresses
    ]
    content = {"from": "desk@example.com", "subject": "Prices", "text": "New prices."}
    told = {"recipients": recipients, "content": content}
    return call(f"{url}/api/v1/transmissions", told, {"Authorization": entry["api_key"]})


def _is_proved(post: Received, entry: Entry) -> bool:
    del entry
    known = b64encode(b"hook:p ss").decode()
    return post.headers.get("Authorization") == f"Basic {known}"


CLIENT = Client(_send, _is_proved, userinfo="hook:p%20ss@")
