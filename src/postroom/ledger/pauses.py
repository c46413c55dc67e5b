"""Pauses: of an application, or of one communication of it; what is not handed over waits."""

from postroom.ledger.db import connection


def pause_application(name: str, paused: bool) -> bool | None:
    """Whether it was otherwise before; None when there is no such application."""
    with connection() as conn:
        row = conn.execute(
            "UPDATE application AS now"
            "   SET paused_at = CASE WHEN %s THEN COALESCE(now.paused_at, now()) END"
            "  FROM (SELECT id, paused_at FROM application WHERE name = %s FOR UPDATE) AS before"
            " WHERE before.id = now.id"
            " RETURNING before.paused_at IS NOT NULL",
            (paused, name),
        ).fetchone()
    return None if row is None else row[0] is not paused


def pause_communication(application_id: int, name: str, paused: bool) -> bool | None:
    """Whether it was otherwise before; None when the application has no such communication."""
    with connection() as conn:
        row = conn.execute(
            "UPDATE communication AS now"
            "   SET paused_at = CASE WHEN %s THEN COALESCE(now.paused_at, now()) END"
            "  FROM (SELECT id, paused_at FROM communication"
            "         WHERE application_id = %s AND name = %s FOR UPDATE) AS before"
            " WHERE before.id = now.id"
            " RETURNING before.paused_at IS NOT NULL",
            (paused, application_id, name),
        ).fetchone()
    return None if row is None else row[0] is not paused
