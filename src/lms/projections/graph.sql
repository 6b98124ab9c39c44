-- The facts that the line of sight rests on. Kept by graph.py in every schema that needs them.
-- GIN indexes without fastupdate: a question must not search a list of entries that nobody has sorted in yet.

CREATE TABLE graph_organisation_v1 (
    organisation_id uuid PRIMARY KEY,
    language text NOT NULL
);

CREATE TABLE graph_team_v1 (
    team_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    parent_team_id uuid,
    disbanded boolean NOT NULL
);
CREATE INDEX ON graph_team_v1 (organisation_id, parent_team_id);

CREATE TABLE graph_person_v1 (
    contributor_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    kind text NOT NULL,
    home_team_id uuid,
    active boolean NOT NULL
);
CREATE INDEX ON graph_person_v1 (home_team_id);
CREATE INDEX ON graph_person_v1 (organisation_id);

CREATE TABLE graph_stint_v1 (
    team_id uuid NOT NULL,
    contributor_id uuid NOT NULL,
    is_lead boolean NOT NULL,
    since date NOT NULL,
    organisation_id uuid NOT NULL,
    until date,
    PRIMARY KEY (team_id, contributor_id, is_lead, since)
);
CREATE INDEX ON graph_stint_v1 (contributor_id, since);

CREATE TABLE graph_cycle_v1 (
    cycle_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    starts_on date NOT NULL,
    check_in_every_days bigint NOT NULL
);
CREATE INDEX ON graph_cycle_v1 (organisation_id, starts_on);

CREATE TABLE graph_competency_v1 (
    competency_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    labels jsonb NOT NULL
);

CREATE TABLE graph_learning_v1 (
    entry_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    learner uuid NOT NULL,
    learned_on date NOT NULL,
    kind text NOT NULL,
    competencies uuid[] NOT NULL,
    goal_id uuid,
    need_ids uuid[] NOT NULL,
    visibility text NOT NULL
);
CREATE INDEX ON graph_learning_v1 USING gin (competencies) WITH (fastupdate = off);
CREATE INDEX ON graph_learning_v1 USING gin (need_ids) WITH (fastupdate = off);
CREATE INDEX ON graph_learning_v1 (goal_id) WHERE goal_id IS NOT NULL;
CREATE INDEX ON graph_learning_v1 (learner);
CREATE INDEX ON graph_learning_v1 (organisation_id, learned_on);

CREATE TABLE graph_team_learning_v1 (
    team_learning_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    team_id uuid NOT NULL,
    learned_on date NOT NULL,
    competencies uuid[] NOT NULL,
    goal_id uuid
);
CREATE INDEX ON graph_team_learning_v1 (team_id, learned_on);
CREATE INDEX ON graph_team_learning_v1 (goal_id) WHERE goal_id IS NOT NULL;
CREATE INDEX ON graph_team_learning_v1 (organisation_id);

CREATE TABLE graph_attestation_v1 (
    attestation_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    person uuid NOT NULL,
    competency_id uuid NOT NULL,
    attested_on date NOT NULL
);
CREATE INDEX ON graph_attestation_v1 (competency_id, person);

CREATE TABLE graph_goal_v1 (
    goal_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    level text NOT NULL,
    title jsonb NOT NULL,
    owner_contributor_id uuid,
    owner_team_id uuid,
    visibility text NOT NULL,
    shown_to_team uuid,
    status text NOT NULL,
    process_id uuid,
    outcome_metric_id uuid,
    checked_in_on date
);
CREATE INDEX ON graph_goal_v1 (outcome_metric_id) WHERE outcome_metric_id IS NOT NULL;
CREATE INDEX ON graph_goal_v1 (process_id) WHERE process_id IS NOT NULL;

CREATE TABLE graph_alignment_v1 (
    link_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    goal_id uuid NOT NULL,
    to_goal_id uuid,
    to_outcome_metric_id uuid,
    link_type text NOT NULL,
    weight numeric,
    expected_lag_days bigint
);
CREATE INDEX ON graph_alignment_v1 (goal_id);
CREATE INDEX ON graph_alignment_v1 (to_goal_id) WHERE to_goal_id IS NOT NULL;
CREATE INDEX ON graph_alignment_v1 (to_outcome_metric_id) WHERE to_outcome_metric_id IS NOT NULL;

CREATE TABLE graph_process_v1 (
    process_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    owner_team_id uuid NOT NULL
);
CREATE INDEX ON graph_process_v1 (owner_team_id);

CREATE TABLE graph_measure_v1 (
    measure_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    process_id uuid NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    direction text NOT NULL
);
CREATE INDEX ON graph_measure_v1 (process_id);

CREATE TABLE graph_outcome_link_v1 (
    link_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    measure_id uuid NOT NULL,
    outcome_metric_id uuid NOT NULL,
    expected_lag_days bigint
);
CREATE INDEX ON graph_outcome_link_v1 (measure_id);
CREATE INDEX ON graph_outcome_link_v1 (outcome_metric_id);

CREATE TABLE graph_support_v1 (
    link_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    supports_n bigint NOT NULL,
    weakens_n bigint NOT NULL,
    alternatives_n bigint NOT NULL
);

CREATE TABLE graph_metric_v1 (
    outcome_metric_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    unit text NOT NULL
);
CREATE INDEX ON graph_metric_v1 (organisation_id, outcome_metric_id);

CREATE TABLE graph_improvement_v1 (
    improvement_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    process_id uuid NOT NULL,
    team_id uuid NOT NULL,
    problem text NOT NULL,
    opened_on date NOT NULL,
    goal_id uuid,
    need_ids uuid[] NOT NULL,
    competencies uuid[] NOT NULL,
    measure_ids uuid[] NOT NULL,
    reviews jsonb NOT NULL,
    results jsonb NOT NULL,
    used_on date,
    reverted boolean NOT NULL
);
CREATE INDEX ON graph_improvement_v1 (organisation_id, improvement_id);
CREATE INDEX ON graph_improvement_v1 (team_id);
CREATE INDEX ON graph_improvement_v1 (goal_id) WHERE goal_id IS NOT NULL;
CREATE INDEX ON graph_improvement_v1 USING gin (competencies) WITH (fastupdate = off);
CREATE INDEX ON graph_improvement_v1 USING gin (need_ids) WITH (fastupdate = off);
CREATE INDEX ON graph_improvement_v1 USING gin (measure_ids) WITH (fastupdate = off);

CREATE TABLE graph_contribution_v1 (
    contribution_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    cause_kind text NOT NULL,
    cause_id uuid NOT NULL,
    outcome_metric_id uuid,
    measure_id uuid,
    standing text NOT NULL,
    change jsonb,
    supports_n bigint NOT NULL,
    weakens_n bigint NOT NULL,
    alternatives_n bigint NOT NULL
);
CREATE INDEX ON graph_contribution_v1 (cause_id);

CREATE TABLE graph_unit_v1 (
    quarter_ends_on date NOT NULL,
    node uuid NOT NULL,
    organisation_id uuid NOT NULL,
    unit_key bigint NOT NULL,
    size bigint NOT NULL,
    least bigint NOT NULL,
    PRIMARY KEY (quarter_ends_on, node)
);
CREATE INDEX ON graph_unit_v1 (organisation_id, quarter_ends_on);

CREATE TABLE graph_crowd_v1 (
    improvement_id uuid NOT NULL,
    start_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    enough boolean NOT NULL,
    left_out boolean NOT NULL,
    attested boolean NOT NULL,
    PRIMARY KEY (improvement_id, start_id)
);
CREATE INDEX ON graph_crowd_v1 (organisation_id);

CREATE TABLE graph_unit_learning_v1 (
    unit_key bigint NOT NULL,
    competency_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    PRIMARY KEY (unit_key, competency_id)
);
CREATE INDEX ON graph_unit_learning_v1 (organisation_id);
