-- Web Push: where people are told what happens while no socket of theirs is there.

-- sealed: the endpoint and the keys of the subscription, under the server's own key. endpoint: a hash, by which one is found again.
-- It ends with its session.
CREATE TABLE push_subscription (
    id {identity},
    account_id BIGINT NOT NULL REFERENCES account (id),
    token_hash {bytes} NOT NULL REFERENCES token (hash) ON DELETE CASCADE,
    endpoint {bytes} NOT NULL UNIQUE,
    host TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    language TEXT NOT NULL,
    shows_content BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX push_subscription_account ON push_subscription (account_id);
CREATE INDEX push_subscription_token ON push_subscription (token_hash);

-- Rooms of which an account is told by its sockets alone.
CREATE TABLE room_mute (
    account_id BIGINT NOT NULL REFERENCES account (id),
    room_id BIGINT NOT NULL,
    PRIMARY KEY (account_id, room_id)
);

-- What waits to be pushed: of one room one message for each subscription. posts: how many it stands for. A row is leased by
-- moving due_at ahead and naming the node.
CREATE TABLE push_message (
    subscription_id BIGINT NOT NULL REFERENCES push_subscription (id) ON DELETE CASCADE,
    room_id BIGINT NOT NULL,
    actor_id BIGINT NOT NULL,
    post_id BIGINT,
    posts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    node TEXT,
    PRIMARY KEY (subscription_id, room_id)
);

CREATE INDEX push_message_due ON push_message (due_at);

-- One row: the event up to which messages were written.
CREATE TABLE push_position (
    only_row INTEGER PRIMARY KEY,
    position BIGINT NOT NULL
);

INSERT INTO push_position (only_row, position) VALUES (1, 0);
