-- Keys of operators, what they sign in with at the page, the record of what was done, and accounts that are suspended.

-- hash: of the secret.
CREATE TABLE operator_key (
    id {identity},
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    hash {bytes} NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- A session at the page, of a key; without one, the link of the first start, which makes a key and is gone.
CREATE TABLE operator_entry (
    hash {bytes} PRIMARY KEY,
    key_id BIGINT REFERENCES operator_key (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE INDEX operator_entry_expires_at ON operator_entry (expires_at);

CREATE INDEX operator_entry_key ON operator_entry (key_id) WHERE key_id IS NOT NULL;

-- What was done, by whom, to which account or other thing; numbered without gaps. digest: of network and salt, which go when the
-- account is erased. hash: over the row and the hash before it.
CREATE TABLE audit (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    account_id BIGINT,
    subject TEXT NOT NULL,
    network TEXT NOT NULL,
    salt {bytes},
    digest {bytes} NOT NULL,
    hash {bytes} NOT NULL
);

CREATE INDEX audit_account ON audit (account_id, number) WHERE account_id IS NOT NULL;

-- The ends of the chain. head: the last row. anchor: the last one that was trimmed. seal: over the rest.
CREATE TABLE audit_mark (
    name TEXT PRIMARY KEY,
    number BIGINT NOT NULL,
    hash {bytes} NOT NULL,
    seal {bytes} NOT NULL
);

ALTER TABLE account ADD COLUMN suspended_at BIGINT;
