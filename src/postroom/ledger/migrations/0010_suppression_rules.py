"""Scopes, probation and quarantine of suppressions; failures and words of receiving domains."""

from django.db import migrations

_SUPPRESSION = """
ALTER TABLE suppression
    ADD COLUMN application_id integer REFERENCES application (id),
    ADD COLUMN kind text CHECK (kind IN ('transactional', 'marketing')),
    ADD COLUMN rules smallint,
    ADD COLUMN failed_at timestamptz,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN quarantined_until timestamptz,
    ADD COLUMN trial_delivery_id uuid,
    ADD COLUMN trial_at timestamptz,
    ADD COLUMN lifted_by text
        CHECK (lifted_by IN ('person', 'proof', 'trial', 'recipient', 'undo')),
    ADD COLUMN lifting_delivery_id uuid,
    DROP CONSTRAINT suppression_source_check;
ALTER TABLE suppression
    ADD CONSTRAINT suppression_source CHECK (source IN ('event', 'person', 'import')) NOT VALID;
UPDATE suppression SET lifted_by = 'person' WHERE lifted_at IS NOT NULL;
DROP INDEX suppression_standing;
CREATE UNIQUE INDEX suppression_standing
    ON suppression (simulated, address_key, reason, application_id, kind) NULLS NOT DISTINCT
    WHERE lifted_at IS NULL;
CREATE INDEX suppression_trial ON suppression (trial_delivery_id)
    WHERE trial_delivery_id IS NOT NULL;
CREATE INDEX suppression_domain
    ON suppression (simulated, substring(address_key FROM '[^@]*$'))
    WHERE lifted_at IS NULL AND source = 'event'
"""

# Failures for the recipient's sake of the last weeks: what is said on other days counts together.
_FAILURE = """
CREATE TABLE failure (
    simulated    boolean NOT NULL,
    address_key  text NOT NULL,
    reason       text NOT NULL,
    subject      uuid NOT NULL,
    failed_at    timestamptz NOT NULL,
    at_once      boolean NOT NULL,
    delivery_id  uuid,
    event_digest bytea,
    receipt_id   uuid NOT NULL,
    PRIMARY KEY (simulated, address_key, reason, subject)
);
CREATE INDEX failure_age ON failure (failed_at)
"""

# Written by many at once: in parts, so that no writer waits for another's commit.
_DOMAIN_WORDS = """
CREATE TABLE domain_words (
    simulated boolean NOT NULL,
    domain    text NOT NULL,
    slot_at   timestamptz NOT NULL,
    part      smallint NOT NULL,
    delivered integer NOT NULL DEFAULT 0,
    failed    integer NOT NULL DEFAULT 0,
    proven    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (simulated, domain, slot_at, part)
);
CREATE INDEX domain_words_age ON domain_words (slot_at)
"""

_INCIDENT = """
ALTER TABLE incident
    ALTER COLUMN account_id DROP NOT NULL,
    ADD COLUMN domain text,
    ADD COLUMN simulated boolean;
ALTER TABLE incident
    ADD CONSTRAINT incident_of CHECK ((account_id IS NULL) <> (domain IS NULL)) NOT VALID;
CREATE UNIQUE INDEX incident_open_domain ON incident (simulated, domain)
    WHERE ended_at IS NULL AND domain IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_mail_kind")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL(_SUPPRESSION),
        migrations.RunSQL(_FAILURE),
        migrations.RunSQL(_DOMAIN_WORDS),
        migrations.RunSQL(_INCIDENT),
    ]
