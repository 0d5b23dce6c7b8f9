-- Who may sign up: invitations, and accounts that wait until they are approved, or their address is verified.

-- approval or verification; NULL for accounts that can be used.
ALTER TABLE account ADD COLUMN waits_for TEXT;

CREATE INDEX account_waiting ON account (created_at) WHERE waits_for IS NOT NULL;

-- hash: of the secret. used: of its uses. contact: the keyed hash of the address that it is bound to, with its mask; NULL for none.
CREATE TABLE invitation (
    id {identity},
    hash {bytes} NOT NULL UNIQUE,
    uses BIGINT NOT NULL,
    note TEXT NOT NULL,
    contact {bytes},
    mask TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX invitation_expires_at ON invitation (expires_at);

-- The hash of the invitation that a sign-up came with; it is spent when the account is made.
ALTER TABLE pending_creation ADD COLUMN invitation {bytes};

ALTER TABLE steps_registration ADD COLUMN invitation {bytes};

-- When an invitation was spent for it, before an outer ledger was written to.
ALTER TABLE steps_registration ADD COLUMN admitted_at BIGINT;

-- The mail that tells a person of the approval, encrypted as in the outbox: some doors keep no address that it could be sent to later.
CREATE TABLE waiting_mail (
    account_id BIGINT PRIMARY KEY REFERENCES account (id),
    sealed {bytes} NOT NULL
);
