"""Canaries: a part of a message that goes first."""

from django.db import migrations

_TABLE = """
CREATE TABLE canary (
    message_id     uuid PRIMARY KEY,
    chosen         uuid[] NOT NULL,
    share          double precision NOT NULL,
    wait_s         double precision NOT NULL,
    bounces_max    double precision NOT NULL,
    complaints_max double precision NOT NULL,
    decision       text NOT NULL DEFAULT 'wait' CHECK (decision IN ('wait', 'go', 'stop')),
    why            text,
    decided_at     timestamptz,
    done           boolean NOT NULL DEFAULT false
);
CREATE INDEX canary_open ON canary (message_id) WHERE NOT done
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_routes_and_health")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_TABLE),
    ]
