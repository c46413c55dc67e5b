"""How a post gets to whom it tells: by HTTP to a webhook, by SMTP to a door that takes mail."""

import asyncio
import smtplib
from urllib.parse import urlsplit

import aiohttp

from postroom.simulator.teller import Post

MAIL_FROM, RCPT_TO = "mail-from", "rcpt-to"
"""Of a post by SMTP the headers are the envelope, and the body is the whole mail."""
SMTP_SCHEME = "smtp"
_OWN_NAME = "mx.sim.example"


class Poster:
    """Posts by the scheme of the URL; keeps HTTP connections."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def post(self, url: str, post: Post, time_limit_s: float) -> int:
        """The status, or the last SMTP reply's code; 0 when no answer came in time."""
        if urlsplit(url).scheme == SMTP_SCHEME:
            return await asyncio.to_thread(_by_smtp, url, post, time_limit_s)
        limit = aiohttp.ClientTimeout(total=time_limit_s)
        try:
            async with self._session.post(
                url, data=post.body, headers=post.headers, allow_redirects=False, timeout=limit
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

    async def close(self) -> None:
        """Let kept connections go."""
        await self._session.close()


def _by_smtp(url: str, post: Post, time_limit_s: float) -> int:
    door = urlsplit(url)
    try:
        with smtplib.SMTP(
            door.hostname or "", door.port or 25, _OWN_NAME, timeout=time_limit_s
        ) as client:
            client.ehlo_or_helo_if_needed()
            eight_bit = not post.body.isascii() and client.has_extn("8bitmime")
            options = ["BODY=8BITMIME"] if eight_bit else []
            client.sendmail(post.headers[MAIL_FROM], post.headers[RCPT_TO], post.body, options)
    except smtplib.SMTPRecipientsRefused as refused:
        return next(iter(refused.recipients.values()))[0]
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code
    except (smtplib.SMTPException, OSError):
        return 0
    return 250
