-- The members of a room in the order of joining, without a look at their rows: a list of a thousand rooms reads ten thousand of them.
-- left_event is NULL in all of them; without it SQLite would look at the rows.
CREATE INDEX membership_present ON membership (room_id, joined_event, account_id, left_event) WHERE left_event IS NULL;
