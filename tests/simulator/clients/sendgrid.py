from collections.abc import Sequence

from postroom.simulator.faces.sendgrid.signing import SIGNATURE, Signer
from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call, mail


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    key = {"Authorization": f"Bearer {entry['api_key']}"}
    return call(f"{url}/v3/mail/send", mail(*addresses), key)


def _is_proved(post: Received, entry: Entry) -> bool:
    public_key = Signer.from_pem(entry["signing_private_key"]).public_key()
    return SIGNATURE in post.headers and post.is_signed_by(public_key)


CLIENT = Client(_send, _is_proved)
