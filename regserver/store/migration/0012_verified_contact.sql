-- Addresses and phone numbers belong to the account that proved them first, whatever its door. An address that nobody has
-- proved is a wish: several accounts may have it.

-- SQLite cannot drop a UNIQUE, so the table is written anew. The caller has switched foreign keys off meanwhile.
{sqlite} CREATE TABLE account_next (
    id {identity},
    username TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    email TEXT,
    email_key TEXT,
    password_hash TEXT,
    door TEXT NOT NULL,
    ledger_name TEXT UNIQUE,
    server TEXT,
    subject TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    source TEXT,
    source_name TEXT,
    source_confirmed_at BIGINT
);

{sqlite} INSERT INTO account_next (id, username, name_key, email, email_key, password_hash, door, ledger_name, server, subject,
    created_at, updated_at, deleted_at, source, source_name, source_confirmed_at)
SELECT id, username, name_key, email, email_key, password_hash, door, ledger_name, server, subject,
    created_at, updated_at, deleted_at, source, source_name, source_confirmed_at
FROM account;

{sqlite} DROP TABLE account;

{sqlite} ALTER TABLE account_next RENAME TO account;

{sqlite} CREATE INDEX account_server ON account (server);

{sqlite} CREATE INDEX account_server_deleted ON account (server, deleted_at) WHERE server IS NOT NULL;

{sqlite} CREATE UNIQUE INDEX account_subject ON account (subject, source);

{postgres} ALTER TABLE account DROP CONSTRAINT account_email_key_key;

CREATE INDEX account_email ON account (email_key) WHERE email_key IS NOT NULL;

-- When the account's person proved to read mail to it; NULL for a wish. Accounts of the steps have it without the address.
ALTER TABLE account ADD COLUMN email_verified_at BIGINT;

-- contact: the same keyed hash as of a registration by steps. kind: email or phone.
CREATE TABLE verified_contact (
    contact {bytes} PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    verified_at BIGINT NOT NULL
);

CREATE INDEX verified_contact_account ON verified_contact (account_id);

INSERT INTO verified_contact (contact, account_id, kind, verified_at)
SELECT steps_registration.contact, account.id, kind, steps_registration.updated_at
FROM steps_registration JOIN account ON account.ledger_name = steps_registration.user_id
WHERE state = 'registered' AND kind IN ('email', 'phone') AND deleted_at IS NULL;

UPDATE account SET email_verified_at = verified_contact.verified_at
FROM verified_contact
WHERE verified_contact.account_id = account.id AND verified_contact.kind = 'email';

-- Accounts whose address was verified before this table; SQL cannot compute the keyed hash. The next start does, and
-- empties the table.
CREATE TABLE unkeyed_address (
    account_id BIGINT PRIMARY KEY REFERENCES account (id)
);

INSERT INTO unkeyed_address (account_id)
SELECT id FROM account WHERE door <> 'rooms' AND email IS NOT NULL AND deleted_at IS NULL;
