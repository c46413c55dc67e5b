"""Brings the database to this release: tables, and the partitions that the next mails need."""

from datetime import UTC, datetime

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from postroom.ledger import partitions, upgrade


def migrate() -> int:
    """How many migrations were applied."""
    with upgrade.one_at_a_time():
        pending = len(pending_migrations())
        if pending:
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    partitions.ensure(datetime.now(UTC))
    return pending


def pending_migrations() -> list[str]:
    """The migrations of this release that the database does not know yet."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
