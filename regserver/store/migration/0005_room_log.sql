-- Rooms in full: unread counts that need no counting, how far back the log reaches, and answers kept for retries.

-- A post's place among the room's posts, and among its author's posts there: differences of these are counts.
ALTER TABLE post ADD COLUMN ordinal BIGINT NOT NULL DEFAULT 0;
ALTER TABLE post ADD COLUMN author_ordinal BIGINT NOT NULL DEFAULT 0;

UPDATE post SET ordinal = numbered.ordinal, author_ordinal = numbered.author_ordinal
FROM (
    SELECT id,
        row_number() OVER (PARTITION BY room_id ORDER BY id) AS ordinal,
        row_number() OVER (PARTITION BY room_id, author_id ORDER BY id) AS author_ordinal
    FROM post
) AS numbered
WHERE numbered.id = post.id;

CREATE INDEX post_author ON post (room_id, author_id, id);

-- The log is cut from its beginning, in the order of its positions; time needs no index of its own.
DROP INDEX event_at;

-- One row: the last event that was cut off. Recovery reaches back to it and no further.
CREATE TABLE event_cut (
    only_row INTEGER PRIMARY KEY,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL
);

INSERT INTO event_cut (only_row, position, at) VALUES (1, 0, 0);

-- Ended stays, so that those which the log no longer reaches can be found and dropped.
CREATE INDEX membership_left ON membership (left_event) WHERE left_event IS NOT NULL;

-- What an Idempotency-Key was answered. scope: whose key it is. request: digest of path and body.
-- answer: the number that was handed out, NULL where the answer has no body.
CREATE TABLE retry (
    scope TEXT NOT NULL,
    retry_key TEXT NOT NULL,
    request {bytes} NOT NULL,
    answer BIGINT,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (scope, retry_key)
);

CREATE INDEX retry_expires_at ON retry (expires_at);
