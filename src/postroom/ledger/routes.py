"""Routes as operators set them; a removed one stays, for it tells when roads last changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.errors import UniqueViolation

from postroom.domain.lane import Lane
from postroom.domain.route import Route
from postroom.ledger.db import Connection, connection, transaction


@dataclass(frozen=True, slots=True)
class NamedRoute:
    """A route in the words of people."""

    route: Route
    simulated: bool
    application: str | None
    accounts: tuple[str, ...]
    """Names, in the order of `route.accounts`."""


def add(
    simulated: bool,
    application: str | None,
    lane: Lane | None,
    from_domain: str | None,
    recipient_domain: str | None,
    accounts: Sequence[tuple[str, float | None]],
) -> int:
    """The number of the new route; `accounts` are names with weights, all of them or none.

    Raises LookupError for a name that is not known, ValueError when there is a route for the same
    mail already.
    """
    try:
        with transaction() as conn:
            application_id = _id_of(conn, "application", application) if application else None
            row = conn.execute(
                "INSERT INTO route (simulated, application_id, lane, from_domain,"
                "                   recipient_domain, made_at)"
                " VALUES (%s, %s, %s, %s, %s, now()) RETURNING id",
                (simulated, application_id, lane, from_domain, recipient_domain),
            ).fetchone()
            route_id = int(row[0]) if row else 0
            for place, (name, weight) in enumerate(accounts):
                conn.execute(
                    "INSERT INTO route_account (route_id, place, account_id, weight)"
                    " VALUES (%s, %s, %s, %s)",
                    (route_id, place, _id_of(conn, "account", name), weight),
                )
    except UniqueViolation as error:
        raise ValueError("there is a route for the same mail already") from error
    return route_id


def _id_of(conn: Connection, table: str, name: str) -> int:
    row = conn.execute(f"SELECT id FROM {table} WHERE name = %s", (name,)).fetchone()
    if row is None:
        raise LookupError(f"there is no {table} {name}")
    return int(row[0])


def remove(route_id: int) -> bool:
    """Whether it was in force; the mail it was for takes the next that fits."""
    with connection() as conn:
        removed = conn.execute(
            "UPDATE route SET removed_at = now() WHERE id = %s AND removed_at IS NULL",
            (route_id,),
        )
    return removed.rowcount == 1


_IN_FORCE = """
SELECT route.id, simulated, application_id, application.name, lane, from_domain, recipient_domain,
       accounts.ids, accounts.names, accounts.weights
  FROM route
  LEFT JOIN application ON application.id = application_id
 CROSS JOIN LATERAL (
       SELECT array_agg(account.id ORDER BY place) AS ids,
              array_agg(account.name ORDER BY place) AS names,
              array_agg(weight ORDER BY place) AS weights
         FROM route_account
         JOIN account ON account.id = account_id
        WHERE route_id = route.id) AS accounts
 WHERE removed_at IS NULL
 ORDER BY route.id
"""


def in_force() -> list[NamedRoute]:
    """All routes, in the order of their making."""
    with connection() as conn:
        rows = conn.execute(_IN_FORCE).fetchall()
    return [_named(*row) for row in rows]


def _named(
    id: int,
    simulated: bool,
    application_id: int | None,
    application: str | None,
    lane: int | None,
    from_domain: str | None,
    recipient_domain: str | None,
    ids: list[int],
    names: list[str],
    weights: list[float | None],
) -> NamedRoute:
    given = tuple(weight for weight in weights if weight is not None)
    route = Route(
        id=id,
        accounts=tuple(ids),
        weights=given if len(given) == len(ids) else None,
        application_id=application_id,
        lane=None if lane is None else Lane(lane),
        from_domain=from_domain,
        recipient_domain=recipient_domain,
    )
    return NamedRoute(route, simulated, application, tuple(names))
