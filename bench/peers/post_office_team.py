"""django-post_office with django-anymail behind it: a queue in PostgreSQL, and its own sender.

With `python -m bench.peers.post_office_team MAILS PROCESSES THREADS` it queues and sends so many.
"""

import os
import sys

import django
from django.conf import settings
from django.core.management import call_command
from psycopg.conninfo import conninfo_to_dict

from bench.peers.team_mail import ANYMAIL_BACKEND, MAIL, SETTINGS


def main(mails: int, processes: int, threads: int) -> None:
    """Queue the mails as an application does, then run the sender until the queue is empty."""
    _set_up(threads)
    from post_office import mail

    mail.send_many(
        {
            "sender": MAIL["from"],
            "recipients": [f"p{number}@example.com"],
            "subject": MAIL["subject"],
            "message": MAIL["text"],
            "html_message": MAIL["html"],
        }
        for number in range(mails)
    )
    call_command("send_queued_mail", processes=processes, log_level=1)


def _set_up(threads: int) -> None:
    place = conninfo_to_dict(os.environ["PEER_DATABASE"])
    settings.configure(
        EMAIL_BACKEND="post_office.EmailBackend",
        POST_OFFICE={
            "BACKENDS": {"default": ANYMAIL_BACKEND},
            "THREADS_PER_PROCESS": threads,
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        LOGGING_CONFIG=None,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": place["dbname"],
                "HOST": place.get("host", ""),
                "PORT": str(place.get("port", "")),
                "USER": place.get("user", ""),
                "PASSWORD": place.get("password", ""),
                "OPTIONS": {"options": f"-c search_path={os.environ['PEER_SCHEMA']}"},
            }
        },
        **SETTINGS,
    )
    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
