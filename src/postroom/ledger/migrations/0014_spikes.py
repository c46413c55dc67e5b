"""Spikes of one reason at one receiving domain, and what is said there."""

from django.db import migrations

# Written by many at once: in parts, so that no writer waits for another's commit.
_SAID = """
CREATE TABLE said (
    simulated boolean NOT NULL,
    domain    text NOT NULL,
    reason    text NOT NULL,
    shape     text NOT NULL,
    part      smallint NOT NULL,
    count     integer NOT NULL,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (simulated, domain, reason, shape, part)
);
CREATE INDEX said_age ON said (last_at)
"""

_SPIKE = """
CREATE TABLE spike (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    simulated    boolean NOT NULL,
    domain       text NOT NULL,
    reason       text NOT NULL,
    began_at     timestamptz NOT NULL,
    noticed_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    failed       integer NOT NULL,
    told         integer NOT NULL,
    applications integer[] NOT NULL
);
CREATE UNIQUE INDEX spike_open ON spike (simulated, domain, reason) WHERE ended_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0013_doubt_told")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_SAID),
        migrations.RunSQL(_SPIKE),
    ]
