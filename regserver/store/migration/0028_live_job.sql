-- Live registrations where several nodes share the store: any of them shows one that another runs. Empty on SQLite.

-- id: a hash of the address, which is a secret. person: a keyed hash, so that one registration of a person runs at a time. run: of the
-- process that may add events (node.run). events: how many there are. sealed: what another node must know of it. over_at: of the last event.
CREATE TABLE live_job (
    id {bytes} PRIMARY KEY,
    person {bytes} NOT NULL,
    run {bytes} NOT NULL,
    events BIGINT NOT NULL,
    sealed {bytes} NOT NULL,
    account_id BIGINT REFERENCES account (id),
    over_at BIGINT
);

CREATE UNIQUE INDEX live_job_running ON live_job (person) WHERE over_at IS NULL;
CREATE INDEX live_job_over ON live_job (over_at) WHERE over_at IS NOT NULL;
CREATE INDEX live_job_account ON live_job (account_id) WHERE account_id IS NOT NULL;

-- number: from 1. sealed: the event; the last one may hold a token.
CREATE TABLE live_event (
    job_id {bytes} NOT NULL REFERENCES live_job (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    sealed {bytes} NOT NULL,
    PRIMARY KEY (job_id, number)
);
