-- What is being improved: one row per improvement, what waits for confirmation, and the measures results are about.

CREATE TABLE improvements_v1 (
    improvement_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    process_id uuid NOT NULL,
    team_id uuid NOT NULL,
    opened_on date NOT NULL,
    problem text NOT NULL,
    actual_condition text,
    trigger_period jsonb,
    target_condition jsonb,
    goal_id uuid,
    need_ids uuid[] NOT NULL,
    competencies uuid[] NOT NULL,
    obstacles jsonb NOT NULL,
    experiments jsonb NOT NULL,
    results jsonb NOT NULL,
    adopted_on date,
    standard_ref jsonb,
    checks jsonb NOT NULL,
    reverted_on date,
    revert_reason jsonb,
    version bigint NOT NULL
);
CREATE INDEX improvements_v1_of_organisation ON improvements_v1 (organisation_id, improvement_id);
CREATE INDEX improvements_v1_of_team ON improvements_v1 (team_id, improvement_id);
CREATE INDEX improvements_v1_of_process ON improvements_v1 (process_id, improvement_id);

CREATE TABLE improvement_confirmations_v1 (
    experiment_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    improvement_id uuid NOT NULL,
    asked uuid NOT NULL,
    claimed_by uuid,
    competencies uuid[] NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX improvement_confirmations_v1_to ON improvement_confirmations_v1 (organisation_id, asked);
CREATE INDEX improvement_confirmations_v1_of ON improvement_confirmations_v1 (improvement_id);

CREATE TABLE improvement_measures_v1 (
    measure_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    direction text NOT NULL
);
