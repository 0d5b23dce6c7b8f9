-- Webhooks, the events that they are told, and the deliveries that are outstanding.

-- sealed: URL and key, encrypted. kinds: "*", or names between commas, beginning and ending with one. failures: of the receiver in
-- a row; fault: the last one, without anything of a message. given_up: deliveries that were tried for too long.
CREATE TABLE webhook (
    id {identity},
    sealed {bytes} NOT NULL,
    kinds TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    paused_until BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,
    fault TEXT,
    delivered_at BIGINT,
    given_up BIGINT NOT NULL DEFAULT 0
);

-- What happened, where a webhook is told of it. account_id: no reference, so that an event outlives what it tells of. data: JSON.
CREATE TABLE hook_event (
    id {identity},
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    account_id BIGINT,
    data TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX hook_event_at ON hook_event (at);

-- due_since: since when it is tried. node: of the process that has leased it until due_at.
CREATE TABLE hook_delivery (
    webhook_id BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    subject TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    due_since BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    node TEXT,
    fault TEXT,
    PRIMARY KEY (webhook_id, event_id)
);

CREATE INDEX hook_delivery_subject ON hook_delivery (webhook_id, subject, event_id);

CREATE INDEX hook_delivery_due ON hook_delivery (webhook_id, due_at);

CREATE INDEX hook_delivery_event ON hook_delivery (event_id);

-- Up to where the log of the rooms is told. One row.
CREATE TABLE hook_log (
    position BIGINT NOT NULL
);

INSERT INTO hook_log (position) VALUES (0);
