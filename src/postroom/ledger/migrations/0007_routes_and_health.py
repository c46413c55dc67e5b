"""Routes, and the health of accounts with what it is judged by."""

from django.db import migrations

_STATEMENTS = """
CREATE TABLE route (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    simulated        boolean NOT NULL,
    application_id   integer REFERENCES application (id) ON DELETE CASCADE,
    lane             smallint CHECK (lane BETWEEN 0 AND 2),
    from_domain      text,
    recipient_domain text,
    made_at          timestamptz NOT NULL,
    removed_at       timestamptz
);
CREATE UNIQUE INDEX route_says ON route
    (simulated, application_id, lane, from_domain, recipient_domain)
    NULLS NOT DISTINCT WHERE removed_at IS NULL;
CREATE TABLE route_account (
    route_id   integer NOT NULL REFERENCES route (id) ON DELETE CASCADE,
    place      smallint NOT NULL,
    account_id integer NOT NULL REFERENCES account (id),
    weight     double precision CHECK (weight > 0),
    PRIMARY KEY (route_id, place),
    UNIQUE (route_id, account_id)
);
CREATE TABLE account_health (
    account_id integer PRIMARY KEY REFERENCES account (id),
    state      text NOT NULL CHECK (state IN ('sound', 'strained', 'open', 'returning')),
    since      timestamptz NOT NULL,
    why        text NOT NULL
);
CREATE TABLE account_pulse (
    account_id integer NOT NULL REFERENCES account (id),
    slot_at    timestamptz NOT NULL,
    calls      integer NOT NULL DEFAULT 0,
    errors     integer NOT NULL DEFAULT 0,
    throttled  integer NOT NULL DEFAULT 0,
    slow       integer NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, slot_at)
);
CREATE TABLE account_words (
    account_id integer NOT NULL REFERENCES account (id),
    slot_at    timestamptz NOT NULL,
    part       smallint NOT NULL,
    told       integer NOT NULL,
    blocked    integer NOT NULL,
    PRIMARY KEY (account_id, slot_at, part)
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_flow")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_STATEMENTS),
    ]
