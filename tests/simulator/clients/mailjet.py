from base64 import b64encode
from collections.abc import Sequence

from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    messages = [{"To": [{"Email": each}], "CustomID": f"h-{each}"} for each in addresses]
    shared = {"From": {"Email": "desk@example.com"}, "Subject": "Prices", "TextPart": "New prices."}
    credentials = b64encode(f"{entry['api_key']}:{entry['api_secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    return call(f"{url}/v3.1/send", {"Messages": messages, "Globals": shared}, headers)


def _is_proved(post: Received, entry: Entry) -> bool:
    del entry
    known = b64encode(b"hook:p ss").decode()
    return post.headers.get("Authorization") == f"Basic {known}"


CLIENT = Client(_send, _is_proved, userinfo="hook:p%20ss@")
