-- What is being improved: one row per improvement, and the measures that results are about.

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

CREATE TABLE improvement_measures_v1 (
    measure_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    direction text NOT NULL
);
