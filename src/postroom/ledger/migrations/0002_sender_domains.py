"""Sender domains: which From domains each provider account may carry; and what is held, found."""

from django.db import migrations

_TABLE = """
CREATE TABLE sender_domain (
    account_id integer NOT NULL REFERENCES account (id),
    domain     text NOT NULL,
    status     text NOT NULL CHECK (status IN ('verified', 'pending', 'failed', 'vouched')),
    aligned    boolean NOT NULL,
    records    jsonb NOT NULL,
    note       text NOT NULL,
    changed_at timestamptz NOT NULL,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, domain)
)
"""

_HELD = "CREATE INDEX delivery_held ON delivery (reason, id) WHERE stage = 'held'"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_TABLE),
        migrations.RunSQL(_HELD),
    ]
