"""How much of the machine the simulator costs: recipients taken and told per second.

`python bench/simulator.py [RECIPIENTS]`. Calls of 1,000 personalizations with 10 KB of HTML and six
substitutions each; a receiver that only counts. CPU seconds are the simulator process's own.
"""

import asyncio
import contextlib
import json
import resource
import socket
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from queue import Queue
from threading import Event

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from postroom.simulator.config import Config
from postroom.simulator.server import serve

CALLS_UNDER_WAY = 8


def _pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def run_simulator(config: Config, used: "Queue[float]", stop: Event) -> None:
    """The simulator in a process of its own; tells its CPU seconds at the end."""
    serve(config, stop)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used.put(usage.ru_utime + usage.ru_stime)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def _until_up(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            return writer.close()
    raise TimeoutError("the simulator did not come up within 10 s")


def request(call: int) -> bytes:
    """One call of 1,000 recipients."""
    tags = [f"-k{n}-" for n in range(6)]
    html = "<p>Dear " + " ".join(tags) + "</p>" + "<p>New prices.</p>" * 550
    return json.dumps(
        {
            "personalizations": [
                {
                    "to": [{"email": f"p{call}-{n}@company{n % 50}.example"}],
                    "substitutions": dict.fromkeys(tags, f"value {n}"),
                    "custom_args": {"postroom_handover": f"0193-{call}-{n}"},
                }
                for n in range(1000)
            ],
            "from": {"email": "desk@example.com"},
            "subject": "Prices for -k0-",
            "content": [
                {"type": "text/plain", "value": "Dear -k0-"},
                {"type": "text/html", "value": html},
            ],
        }
    ).encode()


class Counter:
    """A receiver that answers at once and counts events."""

    def __init__(self) -> None:
        self.events = self.posts = 0
        self.came = asyncio.Event()

    async def post(self, received: web.Request) -> web.Response:
        """One batch."""
        self.events += (await received.read()).count(b'"sg_event_id"')
        self.posts += 1
        self.came.set()
        return web.Response(status=204)

    async def wait_for_end(self, session: aiohttp.ClientSession, url: str) -> None:
        """Returns when the simulator has nothing left to tell; asks after each post."""
        pending = 1
        while pending:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.came.wait(), timeout=0.2)
            self.came.clear()
            async with session.get(f"{url}/_simulator/truth") as answer:
                told = await answer.json()
            pending = told["pending"] + told["batches"]["waiting"]


async def measure(port: int, recipients: int, counter: Counter) -> None:
    """Send all calls, then wait until every timeline has ended, and print the rates."""
    bodies = [request(call) for call in range(recipients // 1000)]
    key = {"Authorization": "Bearer key", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(headers=key) as session:
        places = asyncio.Semaphore(CALLS_UNDER_WAY)

        async def send(body: bytes) -> None:
            async with places, session.post(f"{url}/v3/mail/send", data=body) as answer:
                answer.raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*map(send, bodies))
        taken_s = time.perf_counter() - began
        await counter.wait_for_end(session, url)
        told_s = time.perf_counter() - began
    print(f"taken     {recipients / taken_s:10,.0f} recipients/s ({taken_s:.2f} s)")
    print(f"all told  {told_s:10.2f} s, {counter.events:,} events in {counter.posts} posts")


async def bench(recipients: int, directory: Path) -> None:
    """Start the receiver and the simulator, measure, end both."""
    counter = Counter()
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/", counter.post)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    config = Config("key", _free_port(), 0, _pem(), directory / "truth.jsonl",
                    f"http://127.0.0.1:{runner.addresses[0][1]}/")  # fmt: skip
    context = get_context("spawn")
    used, stop = context.Queue(), context.Event()
    process = context.Process(target=run_simulator, args=(config, used, stop))
    process.start()
    await _until_up(config.http_port)
    await measure(config.http_port, recipients, counter)
    stop.set()
    cpu_s = await asyncio.to_thread(used.get)
    process.join()
    await runner.cleanup()
    print(f"cpu       {cpu_s:10.2f} s, {1e6 * cpu_s / recipients:.0f} us a recipient")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(bench(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, Path(directory)))
