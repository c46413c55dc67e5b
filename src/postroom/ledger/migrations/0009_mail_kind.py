"""What kind of mail a message is, and whether it goes in spite of suppressions."""

from django.db import migrations

# NOT VALID: the rows that are there have the default, and need not be looked at one by one.
_STATEMENTS = """
ALTER TABLE message
    ADD COLUMN kind text NOT NULL DEFAULT 'transactional',
    ADD COLUMN critical boolean NOT NULL DEFAULT false;
ALTER TABLE message
    ADD CONSTRAINT message_kind CHECK (kind IN ('transactional', 'marketing')) NOT VALID
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_canary")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_STATEMENTS),
    ]
