"""What From domains lack of what mailbox operators ask for, as it was last looked at."""

from django.db import migrations

_TABLE = """
CREATE TABLE sender_need (
    domain    text PRIMARY KEY,
    lacking   text[] NOT NULL,
    looked_at timestamptz NOT NULL
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0016_postmaster")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_TABLE),
    ]
