import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.simulator.client import Client, Entry
from tests.simulator.rig import Answer, Received, call

REGION = "eu-west-1"
MAIL = b"From: desk@example.com\r\nSubject: Prices\r\n\r\nNew prices.\r\n"
PATH = "/v2/email/outbound-emails"


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    """A call for each address; the last one's answer."""
    for address in addresses:
        answer = _send_one(url + PATH, entry, address)
    return answer


def _send_one(url: str, entry: Entry, address: str) -> Answer:
    body = json.dumps(
        {
            "FromEmailAddress": "desk@example.com",
            "Destination": {"ToAddresses": [address]},
            "ConfigurationSetName": "plain",
            "EmailTags": [{"Name": "postroom_handover", "Value": _tag(address)}],
            "Content": {"Raw": {"Data": b64encode(MAIL).decode()}},
        }
    ).encode()
    return call(url, body, _signed(url, entry, body))


def _tag(address: str) -> str:
    """Tags hold no `@` and no dot, so the hand-over id is written in other letters."""
    return "h-" + address.encode().hex()


def _signed(url: str, entry: Entry, body: bytes) -> dict[str, str]:
    """The headers of Signature Version 4."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    lines = f"host:{parts.netloc}\nx-amz-date:{stamp}\n"
    canonical = "\n".join(
        ["POST", parts.path, "", lines, "host;x-amz-date", sha256(body).hexdigest()]
    )
    scope = f"{stamp[:8]}/{REGION}/ses/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{entry['secret_access_key']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return {
        "X-Amz-Date": stamp,
        "Authorization": (
            f"AWS4-HMAC-SHA256 Credential={entry['access_key_id']}/{scope},"
            f" SignedHeaders=host;x-amz-date, Signature={signature}"
        ),
    }


def _is_proved(post: Received, entry: Entry) -> bool:
    """Signature version 1 of SNS, by the key whose certificate the topic shows."""
    told = json.loads(post.body)
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    proved = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
    key = load_pem_private_key(entry["signing_private_key"].encode(), None).public_key()
    assert isinstance(key, RSAPublicKey)
    try:
        key.verify(b64decode(told["Signature"]), proved.encode(), PKCS1v15(), SHA1())  # noqa: S303
    except (InvalidSignature, ValueError):
        return False
    return True


CLIENT = Client(
    _send, _is_proved, more={"sns_endpoint": "http://127.0.0.1/mine/sns"}, handover=_tag
)
