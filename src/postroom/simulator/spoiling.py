"""Answers to calls that were taken, spoiled on their way: whole for HTTP, and of no use."""

import json
from collections.abc import Callable, Mapping

from aiohttp import web

from postroom.simulator.mischief import Act

_PAGE = "<!doctype html><title>Please wait</title><p>Your request is being processed.</p>"


def _half(answer: web.Response) -> web.Response:
    text = answer.text or ""
    return web.Response(
        status=answer.status, text=text[: len(text) // 2], content_type=answer.content_type
    )


def _page(answer: web.Response) -> web.Response:
    return web.Response(status=answer.status, text=_PAGE, content_type="text/html")


def _fewer(answer: web.Response) -> web.Response:
    """Without the last result, in whichever list the provider gives them."""
    try:
        told = json.loads(answer.text or "")
    except ValueError:
        return answer
    lists = [told] if isinstance(told, list) else [v for v in told.values() if isinstance(v, list)]
    for results in lists:
        del results[-1:]
    return web.json_response(told, status=answer.status)


SPOILING: Mapping[Act, Callable[[web.Response], web.Response]] = {
    Act.HALF_BODY: _half,
    Act.WRONG_TYPE: _page,
    Act.FEWER_RESULTS: _fewer,
}
