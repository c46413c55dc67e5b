from base64 import b64encode
from collections.abc import Sequence

from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    mails = [
        {
            "From": "desk@example.com",
            "To": address,
            "Subject": "Prices",
            "TextBody": "New prices.",
            "Metadata": {"postroom_handover": f"h-{address}"},
        }
        for address in addresses
    ]
    token = {"X-Postmark-Server-Token": entry["server_token"]}
    return call(f"{url}/email/batch", mails, token)


def _is_proved(post: Received, entry: Entry) -> bool:
    del entry
    known = b64encode(b"hook:p ss").decode()
    return post.headers.get("Authorization") == f"Basic {known}"


CLIENT = Client(_send, _is_proved, userinfo="hook:p%20ss@")
