"""What the guard judges mail by, and what it found: counters, and cases."""

from typing import Any

from django.db import migrations, models

# Written by many at once: in parts, so that no writer waits for another's commit.
_COUNT = """
CREATE TABLE guard_count (
    application_id   integer NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    communication_id bigint NOT NULL,
    account_id       integer NOT NULL REFERENCES account (id),
    from_domain      text NOT NULL,
    kind             text NOT NULL,
    is_pressing      boolean NOT NULL,
    receiver         text NOT NULL,
    what             text NOT NULL,
    slot_at          timestamptz NOT NULL,
    part             smallint NOT NULL,
    count            integer NOT NULL,
    PRIMARY KEY (slot_at, application_id, communication_id, account_id, from_domain, kind,
                 is_pressing, receiver, what, part)
)
"""

_CASE = """
CREATE TABLE guard_case (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application_id   integer NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    communication_id bigint REFERENCES communication (id) ON DELETE CASCADE,
    account_id       integer NOT NULL REFERENCES account (id),
    from_domain      text NOT NULL,
    kind             text NOT NULL,
    is_pressing      boolean NOT NULL,
    operator         text,
    receivers        text[],
    simulated        boolean NOT NULL,
    level            smallint NOT NULL,
    said             text NOT NULL,
    began_at         timestamptz NOT NULL DEFAULT now(),
    changed_at       timestamptz NOT NULL DEFAULT now(),
    ended_at         timestamptz,
    ended_why        text,
    swept_at         timestamptz,
    released_at      timestamptz
);
CREATE UNIQUE INDEX guard_case_open ON guard_case
    (application_id, communication_id, account_id, from_domain, kind, is_pressing, operator)
    NULLS NOT DISTINCT WHERE ended_at IS NULL;
CREATE INDEX guard_case_released ON guard_case (ended_at)
    WHERE level = 4 AND ended_at IS NOT NULL AND released_at IS NULL
"""

_RESUMED = "ALTER TABLE application ADD COLUMN guard_resumed_at timestamptz"
_FIELD: "models.Field[Any, Any]" = models.DateTimeField(null=True)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0010_suppression_rules")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_COUNT),
        migrations.RunSQL(_CASE),
        migrations.RunSQL(
            _RESUMED,
            state_operations=[migrations.AddField("application", "guard_resumed_at", _FIELD)],
        ),
    ]
