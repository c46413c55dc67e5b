"""When applications were last told that mail of theirs is in doubt."""

from django.db import migrations

_TOLD = """
CREATE TABLE doubt_told (
    application_id integer PRIMARY KEY REFERENCES application (id) ON DELETE CASCADE,
    told_at        timestamptz NOT NULL,
    newest_at      timestamptz NOT NULL,
    count          integer NOT NULL
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0012_receivers_and_calls")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_TOLD),
    ]
