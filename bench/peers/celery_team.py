"""A Celery task that sends one mail by django-anymail, as its documentation advises.

A worker is `celery -A bench.peers.celery_team worker`; `python -m bench.peers.celery_team MAILS`
queues so many.
"""

import os
import sys

import django
from celery import Celery
from django.conf import settings

from bench.peers.team_mail import ANYMAIL_BACKEND, SETTINGS, mail_to

settings.configure(EMAIL_BACKEND=ANYMAIL_BACKEND, **SETTINGS)
django.setup()

app = Celery("team", broker=os.environ["PEER_BROKER"])
app.conf.task_acks_late = True
app.conf.task_ignore_result = True
if folder := os.environ.get("PEER_BROKER_FOLDER"):
    app.conf.broker_transport_options = {
        "data_folder_in": folder,
        "data_folder_out": folder,
        "control_folder": f"{folder}/control",
    }


def send(recipient: str) -> None:
    """Send the mail; what fails is tried again by Celery."""
    mail_to(recipient).send()


send_mail = app.task(name="send_mail", autoretry_for=(Exception,), retry_backoff=True)(send)


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        send_mail.delay(f"p{number}@example.com")
