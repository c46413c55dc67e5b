"""Claims that share out between applications and communications; pauses; application limits."""

from django.db import migrations

_STATEMENTS = """
DROP INDEX delivery_claim;
CREATE INDEX delivery_claim
    ON delivery (simulated, lane, application_id, COALESCE(communication_id, 0), due_at, id)
    WHERE stage IN ('queued', 'scheduled');
ALTER TABLE communication ADD COLUMN paused_at timestamptz;
ALTER TABLE application
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN recipients_per_s integer CHECK (recipients_per_s > 0),
    ADD COLUMN recipients_per_day integer CHECK (recipients_per_day > 0);
CREATE TABLE application_pace (
    application_id integer PRIMARY KEY REFERENCES application (id) ON DELETE CASCADE,
    room           double precision NOT NULL,
    room_at        timestamptz NOT NULL,
    day            date NOT NULL,
    day_count      bigint NOT NULL
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_account_pace")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_STATEMENTS),
    ]
