-- Registrations by steps, what is counted against guessing and flooding, rewards, and the ledger.

-- One row per contact. The contact itself is nowhere: contact and lookup are keyed hashes of it, mask is for operators.
CREATE TABLE steps_registration (
    contact {bytes} PRIMARY KEY,
    lookup {bytes} NOT NULL,
    kind TEXT NOT NULL,
    mask TEXT NOT NULL,
    provider TEXT,
    state TEXT NOT NULL,
    code {bytes},
    code_expires_at BIGINT,
    code_tries BIGINT NOT NULL,
    resends BIGINT NOT NULL,
    retry_at BIGINT,
    lapses_at BIGINT,
    token {bytes},
    username TEXT,
    user_id TEXT UNIQUE,
    updated_at BIGINT NOT NULL
);

CREATE INDEX steps_registration_lookup ON steps_registration (lookup);
CREATE INDEX steps_registration_lapses_at ON steps_registration (lapses_at);

-- What a contact, an address or a country prefix has spent since started_at; it outlives registrations.
CREATE TABLE steps_budget (
    budget {bytes} PRIMARY KEY,
    spent BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);

CREATE INDEX steps_budget_started_at ON steps_budget (started_at);

-- A reward is granted by this row, once. community is '' for rewards that belong to none.
CREATE TABLE steps_reward (
    user_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    community TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, reason, community)
);

-- The journal of the ledger: each entry's hash covers the one before it, so that nothing can be changed unseen.
CREATE TABLE ledger_journal (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    user_id TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    owner_key TEXT NOT NULL,
    active_key TEXT NOT NULL,
    reference TEXT NOT NULL,
    previous {bytes} NOT NULL,
    hash {bytes} NOT NULL
);

-- Signed transactions on their way to another ledger: kept before they are pushed, so that a crash never signs twice.
CREATE TABLE ledger_submission (
    user_id TEXT PRIMARY KEY,
    owner_key TEXT NOT NULL,
    active_key TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    signed {bytes} NOT NULL,
    expires_at BIGINT NOT NULL
);
