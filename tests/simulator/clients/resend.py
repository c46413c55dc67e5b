import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    """As the vendor's `resend.Batch.send` asks, with the header for permissive checks."""
    mails = [
        {
            "from": "Desk <desk@example.com>",
            "to": [each],
            "subject": "Prices",
            "text": "New prices.",
            "tags": [{"name": "postroom_handover", "value": f"h-{_tag(each)}"}],
        }
        for each in addresses
    ]
    headers = {
        "Authorization": f"Bearer {entry['api_key']}",
        "Accept": "application/json",
        "User-Agent": "resend-python:2.19.0",
    }
    return call(f"{url}/emails/batch", mails, headers)


def _tag(address: str) -> str:
    """The address in the letters that a tag may have."""
    return "".join(each if each.isalnum() else "_" for each in address)


def _is_proved(post: Received, entry: Entry) -> bool:
    headers = {name.lower(): value for name, value in post.headers.items()}
    key = b64decode(entry["webhook_secret"].partition("_")[2])
    id, stamp = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
    signed = b".".join([id.encode(), stamp.encode(), post.body])
    proof = b64encode(hmac.new(key, signed, "sha256").digest()).decode()
    return f"v1,{proof}" in headers.get("svix-signature", "").split(" ")


CLIENT = Client(_send, _is_proved, handover=lambda address: f"h-{_tag(address)}")
