-- The event log refers to posts instead of repeating them, so that nothing of a post outlives it.

-- post_id: of the event of a post, whose change is ''; NULL for all other events.
ALTER TABLE event ADD COLUMN post_id BIGINT;

{sqlite} UPDATE event SET post_id = json_extract(change, '$.post'), change = ''
WHERE json_extract(change, '$.type') = 'posted';

{postgres} UPDATE event SET post_id = (change::json->>'post')::bigint, change = ''
WHERE change::json->>'type' = 'posted';
