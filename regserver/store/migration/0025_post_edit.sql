-- Posts that were edited: when last; and what they said at first, for those who recover the event of the post.

ALTER TABLE post ADD COLUMN edited_at BIGINT;

-- Kept as long as the log reaches back, and no longer than its post.
CREATE TABLE post_original (
    post_id BIGINT PRIMARY KEY REFERENCES post (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account (id),
    content TEXT NOT NULL,
    edited_at BIGINT NOT NULL
);

CREATE INDEX post_original_account ON post_original (account_id);
CREATE INDEX post_original_edited ON post_original (edited_at);
