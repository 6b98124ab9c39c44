-- Goals as they stand, with key results, check-ins, the measurements that may feed them, links and who was invited.

CREATE TABLE goals_v1 (
    goal_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL,
    level text NOT NULL,
    title jsonb NOT NULL,
    statement jsonb NOT NULL,
    outcome_metric_id uuid,
    process_id uuid,
    owner_contributor_id uuid,
    owner_team_id uuid,
    proposer uuid,
    cycle_id uuid,
    origin text NOT NULL,
    visibility text NOT NULL,
    shown_to_team uuid,
    status text NOT NULL,
    set_on date,
    closed_on date
);
CREATE INDEX goals_v1_latest ON goals_v1 (organisation_id, position DESC);
CREATE INDEX goals_v1_of_level ON goals_v1 (organisation_id, level, position DESC);
CREATE INDEX goals_v1_of_contributor ON goals_v1 (owner_contributor_id, position DESC);
CREATE INDEX goals_v1_of_team ON goals_v1 (owner_team_id, position DESC);
CREATE INDEX goals_v1_of_cycle ON goals_v1 (cycle_id, position DESC);

CREATE TABLE goal_key_results_v1 (
    key_result_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    goal_id uuid NOT NULL,
    position bigint NOT NULL,
    feed uuid,
    key_result jsonb NOT NULL
);
CREATE INDEX goal_key_results_v1_of_goal ON goal_key_results_v1 (goal_id, position);

CREATE TABLE goal_check_ins_v1 (
    check_in_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    goal_id uuid NOT NULL,
    key_result_id uuid NOT NULL,
    position bigint NOT NULL,
    value numeric,
    observed_on date NOT NULL,
    confidence bigint,
    narrative jsonb,
    blockers jsonb
);
CREATE INDEX goal_check_ins_v1_latest ON goal_check_ins_v1 (key_result_id, observed_on DESC, position DESC);
CREATE INDEX goal_check_ins_v1_of_goal ON goal_check_ins_v1 (goal_id, observed_on DESC, position DESC);

CREATE TABLE goal_feeds_v1 (
    feed uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    unit text NOT NULL,
    direction text NOT NULL
);

CREATE TABLE goal_measured_v1 (
    measurement_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    feed uuid NOT NULL,
    position bigint NOT NULL,
    value numeric NOT NULL,
    ends_on date NOT NULL
);
CREATE INDEX goal_measured_v1_latest ON goal_measured_v1 (feed, ends_on DESC, position DESC);

CREATE TABLE goal_links_v1 (
    link_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    goal_id uuid NOT NULL,
    position bigint NOT NULL,
    to_goal_id uuid,
    to_key_result_id uuid,
    to_outcome_metric_id uuid,
    link_type text NOT NULL,
    weight numeric,
    hypothesis jsonb NOT NULL,
    expected_lag_days bigint
);
CREATE INDEX goal_links_v1_of_goal ON goal_links_v1 (goal_id, position);

CREATE TABLE goal_invited_v1 (
    goal_id uuid NOT NULL,
    contributor_id uuid NOT NULL,
    PRIMARY KEY (goal_id, contributor_id)
);

CREATE TABLE goal_cadences_v1 (
    cycle_id uuid PRIMARY KEY,
    every_days bigint NOT NULL
);
