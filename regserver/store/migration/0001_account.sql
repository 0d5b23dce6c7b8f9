-- Accounts of all doors, the one namespace of user names, and what a person signs in with.
-- {identity} and {bytes} are replaced by each back end's own words; times are milliseconds since 1970.

CREATE TABLE account (
    id {identity},
    username TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    email TEXT,
    email_key TEXT UNIQUE,
    password_hash TEXT,
    door TEXT NOT NULL,
    ledger_name TEXT UNIQUE,
    server TEXT,
    subject TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE INDEX account_server ON account (server);

-- One row per taken name of any door. expires_at is NULL where an account has it for good.
CREATE TABLE name (
    name_key TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at BIGINT
);

CREATE INDEX name_expires_at ON name (expires_at);

CREATE TABLE profile (
    account_id BIGINT PRIMARY KEY REFERENCES account (id),
    first_name TEXT NOT NULL,
    middle_name TEXT,
    last_name TEXT NOT NULL
);

CREATE TABLE token (
    hash {bytes} PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX token_account ON token (account_id);
CREATE INDEX token_expires_at ON token (expires_at);

CREATE TABLE ticket (
    hash {bytes} PRIMARY KEY,
    token_hash {bytes} NOT NULL REFERENCES token (hash) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
