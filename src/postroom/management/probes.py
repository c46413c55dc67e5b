"""Whether somebody is there: at a port, and behind it."""

import http.client
import socket

_WAIT_S = 1.0


def reachable_host(bind: str) -> str:
    """Gives the address at which this machine reaches what listens on `bind`."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
    return everywhere.get(bind, bind)


def listens(host: str, port: int) -> bool:
    """Whether the port takes a connection."""
    try:
        socket.create_connection((host, port), timeout=_WAIT_S).close()
    except OSError:
        return False
    return True


def answers_http(host: str, port: int) -> bool:
    """Whether HTTP is spoken there: a listening port may have no worker behind it yet."""
    connection = http.client.HTTPConnection(host, port, timeout=_WAIT_S)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
