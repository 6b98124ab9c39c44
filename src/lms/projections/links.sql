-- The links that stand, whose they are, and what was gathered behind them.

CREATE TABLE links_v1 (
    link_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    process_id uuid,
    goal_id uuid,
    measure_id uuid,
    to_goal_id uuid,
    to_outcome_metric_id uuid,
    expected_lag_days bigint,
    evidence jsonb NOT NULL,
    alternatives jsonb NOT NULL,
    version bigint NOT NULL
);
