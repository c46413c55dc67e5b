"""Hits by which readers refuse mail of a kind, and take that back."""

from django.db import migrations

# Rows leave as soon as they are judged, so there are few to be looked at.
_KINDS = """
ALTER TABLE hit
    DROP CONSTRAINT hit_kind_check,
    ADD CONSTRAINT hit_kind CHECK (kind IN ('o', 'c', 'u', 'r'))
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0017_sender_needs")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_KINDS),
    ]
