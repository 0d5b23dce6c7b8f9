-- Who is present on which node. run: of the node's process. version: grows with each change of its rows.

CREATE TABLE presence (
    run {bytes} NOT NULL,
    account_id BIGINT NOT NULL REFERENCES account (id),
    PRIMARY KEY (run, account_id)
);

CREATE INDEX presence_account ON presence (account_id);

CREATE TABLE presence_run (
    run {bytes} PRIMARY KEY,
    version BIGINT NOT NULL
);
