-- Whose room it is: its creator's, and after them that of the member who joined first. Rooms of before: whoever has been in longest.

ALTER TABLE room ADD COLUMN owner_id BIGINT;

UPDATE room SET owner_id = (
    SELECT account_id FROM membership WHERE membership.room_id = room.id AND left_event IS NULL
    ORDER BY joined_event, account_id LIMIT 1
);
