"""The urgent quota of applications; the lane that was asked for; who may be urgent on the relay."""

from typing import Any

from django.db import migrations, models

_STATEMENTS = """
ALTER TABLE application
    ADD COLUMN urgent_per_day integer CHECK (urgent_per_day >= 0),
    ADD COLUMN relay_urgent boolean NOT NULL DEFAULT false;
ALTER TABLE message ADD COLUMN asked_lane smallint;
CREATE TABLE urgent_use (
    application_id integer PRIMARY KEY REFERENCES application (id) ON DELETE CASCADE,
    day            date NOT NULL,
    recipients     bigint NOT NULL
)
"""

_FIELDS: "dict[str, models.Field[Any, Any]]" = {
    "paused_at": models.DateTimeField(null=True),
    "recipients_per_s": models.IntegerField(null=True),
    "recipients_per_day": models.IntegerField(null=True),
    "urgent_per_day": models.IntegerField(null=True),
    "relay_urgent": models.BooleanField(default=False),
}


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_fair_claims")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(
            _STATEMENTS,
            state_operations=[
                migrations.AddField("application", name, field) for name, field in _FIELDS.items()
            ],
        ),
    ]
