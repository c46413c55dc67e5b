"""What each account was handed and told by the minute, where words were missing, and their pull."""

from django.db import migrations

# Written by many at once: in parts, so that no writer waits for another's commit.
_FLOW = """
CREATE TABLE account_flow (
    account_id   integer NOT NULL REFERENCES account (id),
    minute       timestamptz NOT NULL,
    part         smallint NOT NULL,
    taken        integer NOT NULL DEFAULT 0,
    heard        integer NOT NULL DEFAULT 0,
    acknowledged integer NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, minute, part)
)
"""

_INCIDENT = """
CREATE TABLE incident (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL REFERENCES account (id),
    kind       text NOT NULL,
    began_at   timestamptz NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    said       text NOT NULL
);
CREATE UNIQUE INDEX incident_open ON incident (account_id) WHERE ended_at IS NULL;
CREATE INDEX incident_account ON incident (account_id, began_at)
"""

_DOUBT = """
CREATE INDEX delivery_doubt ON delivery (silent_since)
    WHERE stage = 'handed' AND verdict = 'indeterminate'
"""

_UNREADABLE = """
CREATE INDEX receipt_unreadable ON receipt (received_at) WHERE stage = 'unreadable'
"""

_PULL = """
CREATE TABLE pull (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  integer NOT NULL REFERENCES account (id),
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL CHECK (until > since),
    why         text NOT NULL,
    wanted_at   timestamptz NOT NULL DEFAULT now(),
    place       text,
    pages       integer NOT NULL DEFAULT 0,
    tries       integer NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL DEFAULT now(),
    failed      text,
    finished_at timestamptz
);
CREATE INDEX pull_open ON pull (account_id, id) WHERE finished_at IS NULL;
CREATE INDEX pull_account ON pull (account_id, until)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_urgent_quota")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_FLOW),
        migrations.RunSQL(_INCIDENT),
        migrations.RunSQL(_DOUBT),
        migrations.RunSQL(_UNREADABLE),
        migrations.RunSQL(_PULL),
    ]
