"""django-anymail as a team would use it: `send()` of single mails from a pool of threads.

`python -m bench.anymail_calls PORT MAILS THREADS`
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from bench.filling import SUBMISSION


def send(mails: range) -> None:
    """Send them over one connection, as a worker of a queue does."""
    with get_connection() as connection:
        for number in mails:
            mail = EmailMultiAlternatives(
                subject=SUBMISSION["subject"],
                body=SUBMISSION["text"],
                from_email=SUBMISSION["from"],
                to=[f"p{number}@example.com"],
                connection=connection,
            )
            mail.attach_alternative(SUBMISSION["html"], "text/html")
            mail.send()


def main(port: int, mails: int, threads: int) -> None:
    """Send so many mails to the sink."""
    settings.configure(
        EMAIL_BACKEND="anymail.backends.sendgrid.EmailBackend",
        ANYMAIL={
            "SENDGRID_API_KEY": "none",
            "SENDGRID_API_URL": f"http://127.0.0.1:{port}/v3/",
        },
    )
    django.setup()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, [range(first, mails, threads) for first in range(threads)]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
