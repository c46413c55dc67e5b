import smtplib
from collections.abc import Sequence
from urllib.parse import urlsplit
from zlib import crc32

from tests.simulator.client import Client, Entry, smtp_url
from tests.simulator.rig import Answer, MailReceiver, Received

DOMAIN = "bounce.example.com"


def _send(url: str, entry: Entry, addresses: Sequence[str]) -> Answer:
    """One transaction each, under a return path that only this address has."""
    answer = Answer(250, {}, b"")
    with smtplib.SMTP("127.0.0.1", urlsplit(url).port or 0, "client.example") as client:
        client.login(entry["smtp_user"], entry["smtp_password"])
        for address in addresses:
            try:
                client.sendmail(_path(address), [address], _mail(address))
            except smtplib.SMTPRecipientsRefused as refused:
                code, text = refused.recipients[address]
                answer = Answer(code, {}, text)
            except smtplib.SMTPResponseException as refused:
                answer = Answer(refused.smtp_code, {}, str(refused.smtp_error).encode())
    return answer


def _path(address: str) -> str:
    local = address.partition("@")[0]
    return f"b-{crc32(local.encode()):x}-{local}@{DOMAIN}"


def _mail(address: str) -> bytes:
    head = f"X-Postroom-Handover: h-{address}\r\nFrom: desk@example.com\r\nTo: {address}\r\n"
    return f"{head}Subject: Prices\r\n\r\nNew prices.\r\n".encode()


def _is_proved(post: Received, entry: Entry) -> bool:
    """Nothing proves such a mail but that it comes to a path which was given out."""
    del entry
    local = post.headers["rcpt-to"].partition("@")[0]
    return _path(local.split("-", 2)[2]).startswith(f"{local}@")


CLIENT = Client(_send, _is_proved, url=smtp_url, receiver=MailReceiver)
