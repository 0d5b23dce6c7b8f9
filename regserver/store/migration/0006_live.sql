-- How long past live registrations took, from which the time left of a running one is estimated.
-- marks: JSON, [[step, milliseconds after the start at which it was shown first], …]
CREATE TABLE live_run (
    id {identity},
    source TEXT NOT NULL,
    took_ms BIGINT NOT NULL,
    marks TEXT NOT NULL,
    ended_at BIGINT NOT NULL
);

CREATE INDEX live_run_source ON live_run (source, id);
