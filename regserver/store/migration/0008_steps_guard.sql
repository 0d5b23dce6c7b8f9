-- Registrations by steps are bound to a network, SMS are counted by country, and proofs of work count once.

-- A keyed hash: of the network that asked for the present code, later of the one that entered it.
-- NULL: of a registration from before this column, or of an identity; the first that goes on with it is noted.
ALTER TABLE steps_registration ADD COLUMN network {bytes};

-- Comparisons that the present code has left for all other networks together.
ALTER TABLE steps_registration ADD COLUMN other_tries BIGINT NOT NULL DEFAULT 0;

UPDATE steps_registration SET other_tries = code_tries;

-- Codes by SMS, by country and minute (since 1970): sent, and entered. closed_until: the country gets none until then.
CREATE TABLE sms_tally (
    country TEXT NOT NULL,
    slot BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    entered BIGINT NOT NULL,
    closed_until BIGINT,
    PRIMARY KEY (country, slot)
);

CREATE INDEX sms_tally_slot ON sms_tally (slot);

-- A hash of each solved challenge until it expires, so that no solution counts twice.
CREATE TABLE captcha_solution (
    challenge {bytes} PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX captcha_solution_expires_at ON captcha_solution (expires_at);
