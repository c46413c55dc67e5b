"""The least that a sender can do: bodies that are ready, posted in a loop with aiohttp.

`python -m bench.raw_calls PORT CALLS RECIPIENTS IN_FLIGHT`
"""

import asyncio
import json
import sys

import aiohttp

from bench.filling import SUBMISSION


def _body(recipients: int) -> bytes:
    """As ours calls SendGrid for so many."""
    handover = "0193f1f4-7a31-7c22-9d1f-2f7d0c3b9a10"
    return json.dumps(
        {
            "personalizations": [
                {
                    "to": [{"email": f"p{n}@example.com"}],
                    "custom_args": {"postroom_handover": handover},
                }
                for n in range(recipients)
            ],
            "from": {"name": "Shop", "email": "shop@example.org"},
            "subject": SUBMISSION["subject"],
            "content": [
                {"type": "text/plain", "value": SUBMISSION["text"]},
                {"type": "text/html", "value": SUBMISSION["html"]},
            ],
        }
    ).encode()


async def post(port: int, calls: int, recipients: int, in_flight: int) -> None:
    """Make all calls, so many at a time."""
    body, left = _body(recipients), iter(range(calls))
    headers = {"Authorization": "Bearer none", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/v3/mail/send"
    async with aiohttp.ClientSession(headers=headers) as session:

        async def one_after_the_other() -> None:
            for _ in left:
                async with session.post(url, data=body) as answer:
                    answer.raise_for_status()

        await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))


if __name__ == "__main__":
    asyncio.run(post(*map(int, sys.argv[1:])))
