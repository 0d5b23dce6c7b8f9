-- Second factors: one-time codes of an authenticator app with recovery codes, and passkeys, which are both factors.

-- sealed: the shared secret, encrypted. enabled_at: NULL until a first code was right. last_step: the newest time step whose code
-- was taken, so that none is taken twice.
CREATE TABLE totp (
    account_id BIGINT PRIMARY KEY REFERENCES account (id),
    sealed {bytes} NOT NULL,
    enabled_at BIGINT,
    last_step BIGINT NOT NULL
);

-- hash: keyed, of a code that is not used yet.
CREATE TABLE recovery_code (
    account_id BIGINT NOT NULL REFERENCES account (id),
    hash {bytes} NOT NULL,
    PRIMARY KEY (account_id, hash)
);

-- What a right password gives to an account with a second factor. purpose: whether the account is to be restored as well.
CREATE TABLE factor_ticket (
    hash {bytes} PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    purpose TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX factor_ticket_account ON factor_ticket (account_id, expires_at);
CREATE INDEX factor_ticket_expires_at ON factor_ticket (expires_at);

-- credential: the authenticator's id of it. public_key: as COSE has it. sign_count: the authenticator's counter, 0 for none.
CREATE TABLE passkey (
    id {identity},
    credential {bytes} NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES account (id),
    public_key {bytes} NOT NULL,
    sign_count BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);

CREATE INDEX passkey_account ON passkey (account_id);

-- Challenges that were answered rightly; others are kept nowhere.
CREATE TABLE passkey_challenge (
    hash {bytes} PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX passkey_challenge_expires_at ON passkey_challenge (expires_at);
