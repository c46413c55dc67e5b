-- The ledger. Everything below `communication` is range-partitioned by month on a UUIDv7 key;
-- partitions are made by ledger/partitions.py. No foreign keys between partitioned tables:
-- rows of one mail are written by one transaction, and history is dropped by partition.

CREATE TABLE communication (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application_id integer NOT NULL REFERENCES application (id),
    name           text NOT NULL CHECK (name ~ '^[a-z0-9._-]{1,100}$'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (application_id, name)
);

-- Unpartitioned on purpose: the unique key must hold over all months.
CREATE TABLE idempotency (
    application_id integer NOT NULL,
    key            text NOT NULL,
    message_id     uuid NOT NULL,
    body_digest    bytea NOT NULL,
    answer         jsonb NOT NULL,
    expires_at     timestamptz,
    PRIMARY KEY (application_id, key)
);

CREATE TABLE message (
    id                uuid NOT NULL,
    application_id    integer NOT NULL,
    communication_id  bigint,
    key_id            text,
    door              text NOT NULL CHECK (door IN ('http', 'smtp')),
    simulated         boolean NOT NULL,
    lane              smallint NOT NULL CHECK (lane IN (0, 1, 2)),
    from_address      text NOT NULL,
    mail_from         text,
    subject           text NOT NULL,
    header_message_id text,
    on_doubt          text NOT NULL CHECK (on_doubt IN ('hold', 'resend')),
    tags              text[] NOT NULL DEFAULT '{}',
    metadata          jsonb NOT NULL DEFAULT '{}',
    notify            jsonb,
    recipients        integer NOT NULL,
    duplicates        integer NOT NULL,
    submission_digest bytea NOT NULL,
    accepted_at       timestamptz NOT NULL,
    send_at           timestamptz,
    expires_at        timestamptz,
    resend_of         uuid,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX message_communication ON message (communication_id, id);
CREATE INDEX message_application ON message (application_id, id);
CREATE INDEX message_header_id ON message (header_message_id) WHERE header_message_id IS NOT NULL;
CREATE INDEX message_mail_from ON message (mail_from, id) WHERE mail_from IS NOT NULL;

-- Bytes kept verbatim, compressed, under the SHA-256 of the uncompressed bytes.
CREATE TABLE blob (
    message_id uuid NOT NULL,
    digest     bytea NOT NULL,
    size_bytes integer NOT NULL,
    zlib       bytea NOT NULL,
    PRIMARY KEY (message_id, digest)
) PARTITION BY RANGE (message_id);
ALTER TABLE blob ALTER COLUMN zlib SET STORAGE EXTERNAL;

CREATE TABLE delivery (
    id                   uuid NOT NULL,
    message_id           uuid NOT NULL,
    application_id       integer NOT NULL,
    communication_id     bigint,
    simulated            boolean NOT NULL,
    lane                 smallint NOT NULL,
    recipient            text NOT NULL,
    recipient_name       text,
    recipient_key        text NOT NULL,
    ref                  text,
    vars                 jsonb,
    metadata             jsonb,
    stage                text NOT NULL CHECK (stage IN (
        'accepted', 'scheduled', 'held', 'queued', 'submitting', 'handed',
        'suppressed', 'rejected', 'cancelled', 'expired')),
    due_at               timestamptz NOT NULL,
    expires_at           timestamptz,
    lease_until          timestamptz,
    fence                bigint NOT NULL DEFAULT 0,
    tries                smallint NOT NULL DEFAULT 0,
    local_events         smallint NOT NULL DEFAULT 0,
    verdict              text CHECK (verdict IN (
        'submitting', 'submitted', 'deferred', 'indeterminate', 'unconfirmed',
        'delivered', 'bounced', 'rejected', 'suppressed')),
    reason               text,
    reason_text          text,
    suppression_id       bigint,
    decided_by           bytea,
    decided_handover     uuid,
    after_acceptance     boolean NOT NULL DEFAULT false,
    conflicting_evidence boolean NOT NULL DEFAULT false,
    changed_at           timestamptz NOT NULL,
    silent_since         timestamptz,
    opened_at            timestamptz,
    clicked_at           timestamptz,
    complained_at        timestamptz,
    unsubscribed_at      timestamptz,
    PRIMARY KEY (id),
    CHECK ((stage = 'submitting') = (lease_until IS NOT NULL))
) PARTITION BY RANGE (id);
CREATE INDEX delivery_message ON delivery (message_id, id);
CREATE INDEX delivery_communication ON delivery (communication_id, id)
    WHERE communication_id IS NOT NULL;
CREATE INDEX delivery_recipient ON delivery (recipient_key, id);
-- The queue: what may be claimed, in the order of service.
CREATE INDEX delivery_claim ON delivery (simulated, lane, due_at, id)
    WHERE stage IN ('queued', 'scheduled');
CREATE INDEX delivery_expiry ON delivery (expires_at)
    WHERE stage IN ('queued', 'scheduled', 'held') AND expires_at IS NOT NULL;
-- What senders hold: few rows. Its key is not `lease_until`, so that renewing a lease changes no
-- indexed column and PostgreSQL updates the row without touching any index.
CREATE INDEX delivery_lease ON delivery (id) WHERE stage = 'submitting';
-- Handed over and without a final word: watched for silence.
CREATE INDEX delivery_silence ON delivery (silent_since) WHERE silent_since IS NOT NULL;

CREATE TABLE attempt (
    id                  uuid NOT NULL,
    message_id          uuid NOT NULL,
    account_id          integer NOT NULL,
    road                text NOT NULL,
    recipients          integer NOT NULL,
    begun_at            timestamptz NOT NULL,
    ended_at            timestamptz,
    outcome             text CHECK (outcome IN ('taken', 'not_taken', 'refused', 'unknown')),
    provider_message_id text,
    request_segments    bytea NOT NULL,
    changes             text[] NOT NULL DEFAULT '{}',
    response_status     integer,
    response_headers    jsonb,
    response_body       bytea,
    error               text,
    PRIMARY KEY (id),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) PARTITION BY RANGE (id);
CREATE INDEX attempt_open ON attempt (begun_at) WHERE ended_at IS NULL;
CREATE INDEX attempt_provider_id ON attempt (provider_message_id)
    WHERE provider_message_id IS NOT NULL;

-- One delivery in one attempt. Its id carries the delivery's own month, so that the opaque id
-- which travels with the mail leads to one partition. `outcome` and `settled_at` are null where
-- the hand-over shares the answer of the whole call (attempt.outcome, attempt.ended_at).
CREATE TABLE handover (
    id                  uuid NOT NULL,
    delivery_id         uuid NOT NULL,
    attempt_id          uuid NOT NULL,
    account_id          integer NOT NULL,
    fence               bigint NOT NULL,
    begun_at            timestamptz NOT NULL,
    settled_at          timestamptz,
    outcome             text CHECK (outcome IN ('taken', 'not_taken', 'refused', 'unknown')),
    provider_message_id text,
    reason              text,
    reason_text         text,
    reply_code          smallint,
    enhanced_code       text,
    request_start       integer NOT NULL,
    request_length      integer NOT NULL,
    PRIMARY KEY (id),
    CHECK ((settled_at IS NULL) = (outcome IS NULL))
) PARTITION BY RANGE (id);
CREATE INDEX handover_delivery ON handover (delivery_id);
CREATE INDEX handover_attempt ON handover (attempt_id);
CREATE INDEX handover_provider_id ON handover (provider_message_id)
    WHERE provider_message_id IS NOT NULL;

-- One number per claim: what a sender writes about its claim must still carry that number.
CREATE SEQUENCE claim_fence;

-- A raw notification that proved its origin, stored before it is read.
CREATE TABLE receipt (
    id           uuid NOT NULL,
    account_id   integer NOT NULL,
    received_at  timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    headers      jsonb NOT NULL,
    size_bytes   integer NOT NULL,
    zlib         bytea NOT NULL,
    stage        text NOT NULL DEFAULT 'new' CHECK (stage IN ('new', 'read', 'unreadable')),
    events       integer,
    error        text,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
ALTER TABLE receipt ALTER COLUMN zlib SET STORAGE EXTERNAL;
CREATE INDEX receipt_new ON receipt (id) WHERE stage = 'new';

CREATE SEQUENCE event_log_seq;

-- One immutable fact about a delivery. Above the line: the teller's words. Below: our reading,
-- which a replay may rewrite.
CREATE TABLE event (
    delivery_id       uuid NOT NULL,
    digest            bytea NOT NULL,
    handover_id       uuid,
    account_id        integer,
    provider_type     text NOT NULL,
    provider_class    text NOT NULL DEFAULT '',
    provider_event_id text,
    reply_code        smallint,
    enhanced_code     text,
    diagnostic        text,
    remote_host       text,
    url               text,
    user_agent        text,
    occurred_at       timestamptz,
    received_at       timestamptz NOT NULL,
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    log_xid           xid8 NOT NULL DEFAULT pg_current_xact_id(),
    log_seq           bigint NOT NULL DEFAULT nextval('event_log_seq'),
    receipt_id        uuid,
    receipt_start     integer,
    receipt_length    integer,
    basis             text NOT NULL,
    -----------------------------
    type              text NOT NULL,
    grade             smallint NOT NULL,
    verdict           text,
    reason            text,
    permanence        text,
    suppress          text,
    machine           boolean,
    asynchronous      boolean,
    reason_basis      text,
    rules             smallint NOT NULL,
    PRIMARY KEY (delivery_id, digest)
) PARTITION BY RANGE (delivery_id);
CREATE INDEX event_log ON event (log_xid, log_seq);

-- Further hearings of an event: they count nothing, and are evidence all the same.
CREATE TABLE hearing (
    delivery_id    uuid NOT NULL,
    digest         bytea NOT NULL,
    receipt_id     uuid NOT NULL,
    receipt_start  integer,
    receipt_length integer,
    PRIMARY KEY (delivery_id, digest, receipt_id)
) PARTITION BY RANGE (delivery_id);

-- Events that match no delivery: kept, tried again, counted; never dropped.
CREATE TABLE orphan (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id     integer NOT NULL,
    receipt_id     uuid NOT NULL,
    receipt_start  integer,
    receipt_length integer,
    address_key    text,
    heard          jsonb NOT NULL,
    first_heard_at timestamptz NOT NULL,
    next_try_at    timestamptz NOT NULL,
    tries          integer NOT NULL DEFAULT 0,
    UNIQUE (receipt_id, receipt_start)
);
CREATE INDEX orphan_due ON orphan (next_try_at);
CREATE INDEX orphan_address ON orphan (address_key) WHERE address_key IS NOT NULL;

-- Refused notifications: the latest hundred per account, for diagnosis.
CREATE TABLE refused_receipt (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  integer NOT NULL,
    received_at timestamptz NOT NULL,
    why         text NOT NULL,
    headers     jsonb NOT NULL,
    body        bytea NOT NULL
);
CREATE INDEX refused_receipt_account ON refused_receipt (account_id, id);

CREATE TABLE tally (
    name  text NOT NULL,
    label text NOT NULL DEFAULT '',
    count bigint NOT NULL,
    PRIMARY KEY (name, label)
);

CREATE TABLE suppression (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    simulated      boolean NOT NULL,
    address_key    text NOT NULL,
    reason         text NOT NULL,
    source         text NOT NULL CHECK (source IN ('event', 'person')),
    note           text,
    delivery_id    uuid,
    event_digest   bytea,
    receipt_id     uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    lifted_at      timestamptz,
    lifted_reason  text
);
CREATE UNIQUE INDEX suppression_standing ON suppression (simulated, address_key)
    WHERE lifted_at IS NULL;
CREATE INDEX suppression_history ON suppression (address_key, id);
