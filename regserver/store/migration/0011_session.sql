-- Tokens become sessions that their owner can see: which they are, from where, and when they were last used.

-- session_id: unique in its account. name: of a named token; NULL for a session by sign-in. network: coarse, as it is shown.
ALTER TABLE token ADD COLUMN session_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE token ADD COLUMN name TEXT;
ALTER TABLE token ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;

UPDATE token SET session_id = ranked.place, last_used_at = created_at
FROM (SELECT hash, row_number() OVER (PARTITION BY account_id ORDER BY created_at, hash) AS place FROM token) AS ranked
WHERE ranked.hash = token.hash;

DROP INDEX token_account;
CREATE UNIQUE INDEX token_session ON token (account_id, session_id);
