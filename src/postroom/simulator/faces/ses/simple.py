"""Mails that the vendor builds from a subject and bodies, instead of taking them finished.

docs.aws.amazon.com/ses/latest/APIReference-V2/API_Message.html, read 2026-11-24; the same parts as
in the API before it.
"""

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any


def build(sender: str, destination: Mapping[str, Any], message: Mapping[str, Any]) -> bytes:
    """The finished mail; KeyError, TypeError or ValueError when the parts are not there."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    for header, name in (("To", "ToAddresses"), ("Cc", "CcAddresses")):
        if destination.get(name):
            mail[header] = ", ".join(destination[name])
    mail["Subject"] = message["Subject"]["Data"]
    for header in message.get("Headers") or ():
        mail[header["Name"]] = header["Value"]
    _fill(mail, [(name, body["Data"]) for name, body in message["Body"].items()])
    return mail.as_bytes()


def _fill(mail: EmailMessage, bodies: Sequence[tuple[str, str]]) -> None:
    texts = {name.lower(): data for name, data in bodies}
    if "text" in texts:
        mail.set_content(texts["text"])
        if "html" in texts:
            mail.add_alternative(texts["html"], subtype="html")
    else:
        mail.set_content(texts["html"], subtype="html")
