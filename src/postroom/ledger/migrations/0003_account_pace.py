"""The pace of each provider account, shared by all senders."""

from django.db import migrations

_TABLE = """
CREATE TABLE account_pace (
    account_id    integer PRIMARY KEY REFERENCES account (id),
    next_at       timestamptz NOT NULL DEFAULT '-infinity',
    rest_until    timestamptz NOT NULL DEFAULT '-infinity',
    learned_per_s double precision,
    learned_at    timestamptz,
    day           date NOT NULL DEFAULT '-infinity',
    day_count     bigint NOT NULL DEFAULT 0,
    told_per_s    double precision,
    told_per_day  double precision,
    told_at       timestamptz
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_sender_domains")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_TABLE),
    ]
