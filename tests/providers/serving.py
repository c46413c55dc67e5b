"""A provider's end of a call, over real sockets."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from postroom.providers.base import Account, Call, Carrier, Reply

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def against(
    handler: Handler, carrier: Carrier, account: Callable[[str], Account], calls: Sequence[Call]
) -> list[Reply]:
    """The replies to these calls when this handler answers; `account` gets its address."""
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = account(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    try:
        return [await carrier.hand_over(made, call) for call in calls]
    finally:
        await carrier.close()
        await runner.cleanup()
