-- Rooms, and the log of what happened in them.

CREATE TABLE room (
    id {identity},
    name TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The log outlives rooms and memberships, since somebody may still have to hear of their end.
CREATE TABLE event (
    id {identity},
    room_id BIGINT NOT NULL,
    actor_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    change TEXT NOT NULL
);

CREATE INDEX event_room ON event (room_id, id);
CREATE INDEX event_at ON event (at);

-- One row per stay. Who sees an event follows from it: joined_event <= event, and event <= left_event or no such.
CREATE TABLE membership (
    room_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES account (id),
    joined_event BIGINT NOT NULL,
    left_event BIGINT,
    seen_post BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, account_id, joined_event)
);

-- Nobody is in a room twice at once: two racing invitations meet here.
CREATE UNIQUE INDEX membership_current ON membership (room_id, account_id) WHERE left_event IS NULL;
CREATE INDEX membership_account ON membership (account_id);

CREATE TABLE post (
    id {identity},
    room_id BIGINT NOT NULL REFERENCES room (id),
    author_id BIGINT NOT NULL REFERENCES account (id),
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX post_room ON post (room_id, id);
