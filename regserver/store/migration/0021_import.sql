-- People who were brought along from other software: by their id there, or else by the name they had.

CREATE TABLE imported_account (
    key TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id)
);

CREATE INDEX imported_account_account ON imported_account (account_id);
