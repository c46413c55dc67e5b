"""How applications have opens and clicks counted; hits that wait to be judged."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

_APPLICATION = """
ALTER TABLE application
    ADD COLUMN track text[] NOT NULL DEFAULT '{}' CHECK (track <@ '{opens,clicks}'),
    ADD COLUMN tracking_url text,
    ADD COLUMN tracked_by_provider boolean NOT NULL DEFAULT false,
    ADD COLUMN private_kinds text[] NOT NULL DEFAULT '{}',
    ADD COLUMN anonymous_hits boolean NOT NULL DEFAULT false
"""

# Rows leave as soon as they are judged: what was hit is then an event of the delivery.
_HIT = """
CREATE TABLE hit (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('o', 'c')),
    message_id  uuid NOT NULL,
    handover_id uuid NOT NULL,
    url         text NOT NULL,
    hit_at      timestamptz NOT NULL,
    method      text NOT NULL,
    address     text,
    agent       text NOT NULL
)
"""

_FIELDS: "dict[str, models.Field[Any, Any]]" = {
    "track": ArrayField(models.TextField(), default=list),
    "tracking_url": models.TextField(null=True),
    "tracked_by_provider": models.BooleanField(default=False),
    "private_kinds": ArrayField(models.TextField(), default=list),
    "anonymous_hits": models.BooleanField(default=False),
}


class Migration(migrations.Migration):
    dependencies = [("ledger", "0014_spikes")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(
            _APPLICATION,
            state_operations=[
                migrations.AddField("application", name, field) for name, field in _FIELDS.items()
            ],
        ),
        migrations.RunSQL(_HIT),
    ]
