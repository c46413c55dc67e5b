"""The vendors' own Python clients, and Anymail's, send through the faces: the faces are honest.

SendGrid's client has its tests in `test_mail_send.py`.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import requests
import resend
from anymail.exceptions import AnymailError
from anymail.message import AnymailMessage
from boto3 import Session
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError
from brevo import Brevo
from brevo.core.api_error import ApiError
from brevo.transactional_emails.types import SendTransacEmailRequestSender as BrevoSender
from brevo.transactional_emails.types import SendTransacEmailRequestToItem as BrevoTo
from django.core.mail import get_connection
from mailgun.client import Client as Mailgun
from mailjet_rest import Client as Mailjet
from mailjet_rest.errors import MailjetAuthError
from postmarker.core import PostmarkClient
from postmarker.exceptions import ClientError as PostmarkError
from sparkpost import SparkPost
from sparkpost.exceptions import SparkPostAPIException

from postroom.simulator.faces import new_face_config
from tests.simulator.conftest import Start
from tests.simulator.rig import Receiver, Running

SENDER, ANN = "desk@example.com", "delivered@sim.example"
TEXT = "New prices."
RAW = f"From: {SENDER}\r\nTo: {ANN}\r\nSubject: Prices\r\n\r\n{TEXT}\r\n".encode()


@dataclass
class Vendor:
    """One client, and how it is told where to go."""

    provider: str
    send: Callable[[Running, dict[str, Any]], Any]
    """Sends one mail to Ann; the id that the client gives, None where it gives none."""
    refused: tuple[type[Exception], ...]
    """What the client raises for wrong credentials."""
    secret: str
    """The name of the credential in the face's entry."""
    more: dict[str, Any] = field(default_factory=dict)


def _ses(running: Running, entry: dict[str, Any], service: str) -> Any:
    session = Session(entry["access_key_id"], entry["secret_access_key"], region_name="eu-west-1")
    config = BotoConfig(retries={"total_max_attempts": 1})
    return closing(session.client(service, endpoint_url=running.url, config=config))


def _send_ses_v2(running: Running, entry: dict[str, Any]) -> Any:
    with _ses(running, entry, "sesv2") as client:
        answer = client.send_email(
            FromEmailAddress=SENDER,
            Destination={"ToAddresses": [ANN]},
            Content={"Raw": {"Data": RAW}},
            EmailTags=[{"Name": "postroom_handover", "Value": "h-1"}],
        )
    return answer["MessageId"]


def _send_ses(running: Running, entry: dict[str, Any]) -> Any:
    simple = {"Subject": {"Data": "Prices"}, "Body": {"Text": {"Data": TEXT}}}
    with _ses(running, entry, "ses") as client:
        answer = client.send_email(
            Source=SENDER, Destination={"ToAddresses": [ANN]}, Message=simple
        )
    return answer["MessageId"]


def _send_raw_ses(running: Running, entry: dict[str, Any]) -> Any:
    with _ses(running, entry, "ses") as client:
        return client.send_raw_email(RawMessage={"Data": RAW})["MessageId"]


def _send_mailgun(running: Running, entry: dict[str, Any]) -> Any:
    data = {"from": SENDER, "to": ANN, "subject": "Prices", "text": TEXT}
    with closing(Mailgun(auth=("api", entry["api_key"]), api_url=running.url)) as client:
        answer = client.messages.create(data=data, domain="example.com")
    answer.raise_for_status()
    return answer.json()["id"].strip("<>")


def _send_postmark(running: Running, entry: dict[str, Any]) -> Any:
    client = PostmarkClient(entry["server_token"], root_api_url=f"{running.url}/")
    with closing(client.session):
        answer = client.emails.send(From=SENDER, To=ANN, Subject="Prices", TextBody=TEXT)
    return answer["MessageID"]


def _send_sparkpost(running: Running, entry: dict[str, Any]) -> Any:
    client = SparkPost(entry["api_key"])
    client.transmissions.base_uri = f"{running.url}/api/v1"  # it knows https alone
    answer = client.transmissions.send(
        recipients=[ANN], text=TEXT, from_email=SENDER, subject="Prices"
    )
    assert answer["total_accepted_recipients"] == 1


def _send_mailjet(running: Running, entry: dict[str, Any]) -> Any:
    keys = (entry["api_key"], entry["api_secret"])
    mail = {
        "From": {"Email": SENDER},
        "To": [{"Email": ANN}],
        "Subject": "Prices",
        "TextPart": TEXT,
    }
    with closing(Mailjet(auth=keys, version="v3.1", api_url=f"{running.url}/")) as client:
        answer = client.send.create(data={"Messages": [mail]})
    answer.raise_for_status()
    (told,) = answer.json()["Messages"]
    assert told["Status"] == "success"
    return str(told["To"][0]["MessageID"])


def _send_brevo(running: Running, entry: dict[str, Any]) -> Any:
    with httpx.Client() as http:
        client = Brevo(api_key=entry["api_key"], base_url=f"{running.url}/v3", httpx_client=http)
        answer = client.transactional_emails.send_transac_email(
            sender=BrevoSender(email=SENDER),
            to=[BrevoTo(email=ANN)],
            subject="Prices",
            text_content=TEXT,
        )
    return str(answer.message_id).strip("<>")


def _send_resend(running: Running, entry: dict[str, Any]) -> Any:
    resend.api_key, resend.api_url = entry["api_key"], running.url
    answer = resend.Emails.send({"from": SENDER, "to": ANN, "subject": "Prices", "text": TEXT})
    return answer["id"]


SNS = {"sns_endpoint": "http://127.0.0.1/sns"}


def _anymail(backend: str, path: str, **settings: str) -> Callable[[Running, dict[str, Any]], Any]:
    """Sends by one of Anymail's backends; `settings` are its own, by our names of their values."""

    def send(running: Running, entry: dict[str, Any]) -> Any:
        known = {name: entry[ours] for name, ours in settings.items()}
        connection = get_connection(
            f"anymail.backends.{backend}.EmailBackend", api_url=running.url + path, **known
        )
        message = AnymailMessage("Prices", TEXT, SENDER, [ANN], connection=connection)
        message.send()
        status = message.anymail_status.recipients[ANN]
        assert status.status == "queued" or backend in ("postmark", "mailjet")
        # Of SendGrid it gives an id of its own, of SparkPost that of the whole call.
        of_its_own = backend in ("sendgrid", "sparkpost")
        return None if of_its_own else str(status.message_id).strip("<>")

    return send


def _send_anymail_ses(running: Running, entry: dict[str, Any]) -> Any:
    credentials = {
        "aws_access_key_id": entry["access_key_id"],
        "aws_secret_access_key": entry["secret_access_key"],
        "region_name": "eu-west-1",
        "endpoint_url": running.url,
        "config": {"retries": {"total_max_attempts": 1}},
    }
    connection = get_connection(
        "anymail.backends.amazon_ses.EmailBackend", client_params=credentials
    )
    message = AnymailMessage("Prices", TEXT, SENDER, [ANN], connection=connection)
    message.send()
    return message.anymail_status.recipients[ANN].message_id


ANYMAIL = (AnymailError,)
VENDORS = {
    "boto3 sesv2": Vendor("ses", _send_ses_v2, (ClientError,), "secret_access_key", SNS),
    "boto3 ses": Vendor("ses", _send_ses, (ClientError,), "secret_access_key", SNS),
    "boto3 ses raw": Vendor("ses", _send_raw_ses, (ClientError,), "secret_access_key", SNS),
    "mailgun": Vendor("mailgun", _send_mailgun, (requests.HTTPError,), "api_key"),
    "postmarker": Vendor("postmark", _send_postmark, (PostmarkError,), "server_token"),
    "sparkpost": Vendor("sparkpost", _send_sparkpost, (SparkPostAPIException,), "api_key"),
    "mailjet-rest": Vendor("mailjet", _send_mailjet, (MailjetAuthError,), "api_secret"),
    "brevo-python": Vendor("brevo", _send_brevo, (ApiError,), "api_key"),
    "resend": Vendor("resend", _send_resend, (resend.exceptions.ResendError,), "api_key"),
    "anymail ses": Vendor("ses", _send_anymail_ses, ANYMAIL, "secret_access_key", SNS),
    "anymail sendgrid": Vendor(
        "sendgrid", _anymail("sendgrid", "/v3/", api_key="api_key"), ANYMAIL, "api_key"
    ),
    "anymail mailgun": Vendor(
        "mailgun", _anymail("mailgun", "/v3/", api_key="api_key"), ANYMAIL, "api_key"
    ),
    "anymail postmark": Vendor(
        "postmark", _anymail("postmark", "/", server_token="server_token"), ANYMAIL, "server_token"
    ),
    "anymail sparkpost": Vendor(
        "sparkpost", _anymail("sparkpost", "/api/v1/", api_key="api_key"), ANYMAIL, "api_key"
    ),
    "anymail mailjet": Vendor(
        "mailjet",
        _anymail("mailjet", "/v3.1/", api_key="api_key", secret_key="api_secret"),
        ANYMAIL,
        "api_secret",
    ),
    "anymail brevo": Vendor(
        "brevo", _anymail("brevo", "/v3/", api_key="api_key"), ANYMAIL, "api_key"
    ),
    "anymail resend": Vendor(
        "resend", _anymail("resend", "/", api_key="api_key"), ANYMAIL, "api_key"
    ),
}


pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


def _face(start: Start, receiver: Receiver, vendor: Vendor) -> tuple[Running, dict[str, Any]]:
    entry = new_face_config(vendor.provider, receiver.url, **vendor.more)
    return start(faces={vendor.provider: entry}), entry


def test_the_vendors_client_sends_and_reads_the_answer(
    start: Start, receiver: Receiver, vendor: Vendor
) -> None:
    running, entry = _face(start, receiver, vendor)
    id = vendor.send(running, entry)
    (taken,) = running.truth.copies.values()
    assert taken.copy.recipient == ANN
    assert id is None or id == taken.copy.message_id.strip("<>")


def test_the_vendors_client_understands_a_refusal(
    start: Start, receiver: Receiver, vendor: Vendor
) -> None:
    running, entry = _face(start, receiver, vendor)
    with pytest.raises(vendor.refused):
        vendor.send(running, entry | {vendor.secret: "wrong-but-long-enough-to-be-one"})
    assert not running.truth.copies
