-- What is said to have moved which figure.

CREATE TABLE contributions_v1 (
    contribution_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    cause_kind text NOT NULL,
    cause_id uuid NOT NULL,
    outcome_metric_id uuid,
    process_id uuid,
    measure_id uuid,
    mechanism text NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    share_low numeric,
    share_high numeric,
    change jsonb,
    standing text NOT NULL,
    evidence jsonb NOT NULL,
    alternatives jsonb NOT NULL,
    reason jsonb,
    version bigint NOT NULL
);
CREATE INDEX contributions_v1_of_organisation ON contributions_v1 (organisation_id, contribution_id);
CREATE INDEX contributions_v1_to_figure ON contributions_v1 (coalesce(outcome_metric_id, measure_id), contribution_id);
