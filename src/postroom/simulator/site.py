"""All HTTP doors on one port: every path under its face's name, and as the vendor has it."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from postroom.simulator.control import Control
from postroom.simulator.http_door import HttpDoor, cut

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def site_of(doors: Sequence[HttpDoor], control: Control) -> web.Application:
    """The application. Where two vendors have one path, it is the first door's."""
    largest = max(door.body_bytes_max for door in doors)
    app = web.Application(client_max_size=largest, middlewares=[_in_vendors_shape(doors)])
    app.add_routes(control.routes())
    taken: set[tuple[str, str]] = set()
    for door in doors:
        for route in door.routes():
            app.add_routes([_moved(route, f"/{door.name}{route.path}")])
            if (route.method, route.path) not in taken:
                taken.add((route.method, route.path))
                app.add_routes([route])
    return app


def _moved(route: web.RouteDef, path: str) -> web.RouteDef:
    return web.RouteDef(route.method, path, route.handler, route.kwargs)


def _in_vendors_shape(doors: Sequence[HttpDoor]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Unknown paths and methods are answered as the vendor of the path's face does."""
    by_name = {door.name: door for door in doors}

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ConnectionResetError:
            return cut(request)  # the caller went away in the middle of the body
        except web.HTTPException as error:
            if error.status not in (404, 405):
                raise
            name = request.path.split("/")[1]
            return by_name.get(name, doors[0]).in_trouble(error.status)

    return answer
