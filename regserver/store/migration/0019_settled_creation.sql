-- The sign-ups that made an account are found by it, when its person is told of them or erased; they stay for good.

CREATE INDEX pending_creation_account ON pending_creation (account_id) WHERE account_id IS NOT NULL;
