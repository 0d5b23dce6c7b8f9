-- Links that are mailed to an account's person and work once, and where a sign-up of the directory came from.

-- hash: of the link's secret. purpose: what it is good for. email: the address that it is about, NULL for none.
CREATE TABLE account_link (
    hash {bytes} PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    purpose TEXT NOT NULL,
    email TEXT,
    expires_at BIGINT NOT NULL
);

CREATE INDEX account_link_account ON account_link (account_id, purpose);
CREATE INDEX account_link_expires_at ON account_link (expires_at);

-- Coarse, as the page shows it to whoever confirms the sign-up; emptied with the other personal columns.
ALTER TABLE pending_creation ADD COLUMN network TEXT NOT NULL DEFAULT '';
