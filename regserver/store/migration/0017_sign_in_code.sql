-- One-time codes for signing in, one for each contact that was sent one.

-- contact: keyed hash. account_id: NULL where the contact is nobody's, so that a guess finds the same. mac: keyed, of the code. network: keyed,
-- that asked for it; own_tries: what it has left, other_tries: all others. sent: codes since one was entered.
CREATE TABLE sign_in_code (
    contact {bytes} PRIMARY KEY,
    account_id BIGINT REFERENCES account (id),
    mac {bytes} NOT NULL,
    network {bytes} NOT NULL,
    own_tries BIGINT NOT NULL,
    other_tries BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    retry_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX sign_in_code_account ON sign_in_code (account_id);
CREATE INDEX sign_in_code_expires_at ON sign_in_code (expires_at);
