-- Who may sign in: wrong secrets in a row, the networks that an account knows, and the source's person behind an account.

-- counter: a keyed hash of what is guessed at. account_id is NULL for names that nobody has, and for the operator's keys.
CREATE TABLE guess (
    counter {bytes} PRIMARY KEY,
    account_id BIGINT REFERENCES account (id),
    failures BIGINT NOT NULL,
    failed_at BIGINT NOT NULL
);

CREATE INDEX guess_failed_at ON guess (failed_at);
CREATE INDEX guess_stranger ON guess (failed_at) WHERE account_id IS NULL;
CREATE INDEX guess_account ON guess (account_id) WHERE account_id IS NOT NULL;

-- network: a keyed hash. language: of the person when they signed in from there, for mails about the account.
CREATE TABLE known_network (
    account_id BIGINT NOT NULL REFERENCES account (id),
    network {bytes} NOT NULL,
    language TEXT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, network)
);

CREATE INDEX known_network_signed_in_at ON known_network (signed_in_at);

-- An account of the live door is one person of one source. '' is a source whose kind was not noted: the one in force
-- takes such an account over when its person signs in.
ALTER TABLE account ADD COLUMN source TEXT;
ALTER TABLE account ADD COLUMN source_name TEXT;
ALTER TABLE account ADD COLUMN source_confirmed_at BIGINT;

UPDATE account SET source = '' WHERE subject IS NOT NULL;

-- One person may have several accounts from the time when each spelling of a name made one. The first that is not deleted
-- stays theirs; the others keep their own passwords, and the source no longer opens them.
UPDATE account SET source = 'duplicate:' || ranked.id
FROM (
    SELECT id, row_number() OVER (PARTITION BY subject ORDER BY (deleted_at IS NOT NULL), id) AS place
    FROM account
    WHERE subject IS NOT NULL
) AS ranked
WHERE ranked.id = account.id AND ranked.place > 1;

CREATE UNIQUE INDEX account_subject ON account (subject, source);
