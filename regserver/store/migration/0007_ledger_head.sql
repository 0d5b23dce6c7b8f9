-- The end of the ledger's journal under a seal of the server's key. Entries before keyed_from are older than the seal, and
-- their hashes have no key.
CREATE TABLE ledger_head (
    only_row BIGINT PRIMARY KEY,
    number BIGINT NOT NULL,
    hash {bytes} NOT NULL,
    keyed_from BIGINT NOT NULL,
    seal {bytes} NOT NULL
);
