-- Deleted accounts are erased after a time of grace, and their entries in the ledger keep their place without their content.

-- deleted_at without it: the account can still be restored.
ALTER TABLE account ADD COLUMN erased_at BIGINT;

CREATE INDEX account_restorable ON account (deleted_at) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;

-- The seal under which the server has emptied an entry; NULL for one that is whole.
ALTER TABLE ledger_journal ADD COLUMN erased {bytes};
