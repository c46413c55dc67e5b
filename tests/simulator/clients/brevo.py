from collections.abc import Sequence

from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    versions = [
        {"to": [{"email": each}], "headers": {"X-Mailin-custom": f"postroom_handover:h-{each}"}}
        for each in addresses
    ]
    mail = {
        "sender": {"email": "desk@example.com"},
        "subject": "Prices",
        "textContent": "New prices.",
        "messageVersions": versions,
    }
    return call(f"{url}/v3/smtp/email", mail, {"api-key": entry["api_key"]})


def _is_proved(post: Received, entry: Entry) -> bool:
    return post.headers.get("Authorization") == f"Bearer {entry['webhook_token']}"


CLIENT = Client(_send, _is_proved, more={"webhook_token": "t0ken"}, busy=429)
