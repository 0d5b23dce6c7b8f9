-- What one person may do to the others and to the disk: daily allowances, who was brought into a room, offers, blocks.

-- What an account has used today. day: days since 1970, UTC. kept_bytes: of the store, for posts, rooms and answers.
CREATE TABLE allowance (
    account_id BIGINT PRIMARY KEY REFERENCES account (id),
    day BIGINT NOT NULL,
    posts BIGINT NOT NULL,
    rooms BIGINT NOT NULL,
    kept_bytes BIGINT NOT NULL
);

CREATE INDEX allowance_day ON allowance (day);

-- Kept beside the memberships: counting the thousands in each room of a list takes too long.
ALTER TABLE room ADD COLUMN members BIGINT NOT NULL DEFAULT 0;

UPDATE room SET members = (
    SELECT count(*) FROM membership WHERE membership.room_id = room.id AND left_event IS NULL
);

-- When somebody who shares no other room with the member brought them in, or offered it; NULL for everybody else.
ALTER TABLE membership ADD COLUMN stranger_at BIGINT;

CREATE INDEX membership_stranger ON membership (account_id, stranger_at) WHERE stranger_at IS NOT NULL;

-- A room that somebody was asked into and has not answered for. The event of the offer is a stay that ends as it begins.
CREATE TABLE room_offer (
    account_id BIGINT NOT NULL REFERENCES account (id),
    room_id BIGINT NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    offered_by BIGINT NOT NULL REFERENCES account (id),
    offered_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, room_id)
);

CREATE INDEX room_offer_room ON room_offer (room_id);
CREATE INDEX room_offer_by ON room_offer (offered_by);
CREATE INDEX room_offer_at ON room_offer (offered_at);

-- Whom somebody keeps from bringing them into rooms.
CREATE TABLE account_block (
    account_id BIGINT NOT NULL REFERENCES account (id),
    blocked_id BIGINT NOT NULL REFERENCES account (id),
    since BIGINT NOT NULL,
    PRIMARY KEY (account_id, blocked_id)
);

CREATE INDEX account_block_blocked ON account_block (blocked_id);
