"""The pace of receivers that asked for less mail, and who holds the calls in flight of accounts."""

from django.db import migrations

_STATEMENTS = """
CREATE TABLE receiver_pace (
    simulated  boolean NOT NULL,
    receiver   text NOT NULL,
    per_s      double precision NOT NULL,
    heard_at   timestamptz NOT NULL,
    grows_from timestamptz NOT NULL,
    next_at    timestamptz NOT NULL,
    tail_at    timestamptz NOT NULL,
    PRIMARY KEY (simulated, receiver)
);
CREATE TABLE account_calls (
    account_id integer NOT NULL REFERENCES account (id),
    sender     uuid NOT NULL,
    ordinary   integer NOT NULL,
    urgent     integer NOT NULL,
    wanted     integer NOT NULL,
    ends_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, sender)
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0011_guard")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_STATEMENTS),
    ]
