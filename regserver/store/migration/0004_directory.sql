-- The directory's pending creations and servers, and the outbox of mail that every door shares.

-- A sign-up that waits for its confirmation. The row outlives it: account_id then says whom the challenge made, or
-- who had the name first, so that repeats go on getting their answer; the personal columns are emptied.
CREATE TABLE pending_creation (
    challenge_hash {bytes} PRIMARY KEY,
    username TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    password_hash TEXT,
    language TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    account_id BIGINT REFERENCES account (id)
);

CREATE INDEX pending_creation_expires_at ON pending_creation (expires_at) WHERE account_id IS NULL;
CREATE INDEX pending_creation_email ON pending_creation (email_key, created_at) WHERE account_id IS NULL;

-- How many users each server has, kept beside the accounts: counting a million of them takes too long to sign up by.
CREATE TABLE directory_server (
    server TEXT PRIMARY KEY,
    users BIGINT NOT NULL
);

-- What they are counted from at start and at reload, by the index alone.
CREATE INDEX account_server_deleted ON account (server, deleted_at) WHERE server IS NOT NULL;

-- Mail that waits to be sent. `sealed` is the whole message under the server's own key; no other column tells of it.
-- A row is leased by moving due_at ahead and naming the node; parked_at says that only the operator starts it again.
CREATE TABLE outbox (
    id {identity},
    sealed {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    node TEXT,
    parked_at BIGINT,
    fault TEXT
);

CREATE INDEX outbox_due ON outbox (due_at, id) WHERE parked_at IS NULL;
CREATE INDEX outbox_created ON outbox (created_at) WHERE parked_at IS NULL;
CREATE INDEX outbox_parked ON outbox (id) WHERE parked_at IS NOT NULL;
