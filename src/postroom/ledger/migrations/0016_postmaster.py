"""Figures of Gmail's Postmaster Tools."""

from django.db import migrations

_TABLE = """
CREATE TABLE postmaster_figure (
    domain      text NOT NULL,
    day         date NOT NULL,
    identifier  text NOT NULL,
    rate        double precision NOT NULL CHECK (rate BETWEEN 0 AND 1),
    imported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (domain, identifier, day)
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0015_tracking")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_TABLE),
    ]
