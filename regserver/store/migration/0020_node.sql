-- server_key: of the key that the store was made with, a keyed hash, in one row. node: who serves on the store, by name.

CREATE TABLE server_key (
    id INTEGER PRIMARY KEY,
    fingerprint {bytes} NOT NULL
);

-- run: a number that the process has drawn. beats: its signs of life, counted.
CREATE TABLE node (
    name TEXT PRIMARY KEY,
    run {bytes} NOT NULL,
    beats BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
