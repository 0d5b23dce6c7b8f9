-- Whose sessions have ended: every process that serves on the store closes their sockets. The last 10,000 are kept.

CREATE TABLE session_ending (
    id {identity},
    account_id BIGINT NOT NULL
);
