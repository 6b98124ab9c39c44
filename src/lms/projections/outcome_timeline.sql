-- The figures of the business and what was measured of them.

CREATE TABLE outcome_metrics_v1 (
    outcome_metric_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    direction text NOT NULL,
    measures text NOT NULL,
    aggregation text NOT NULL,
    element_id uuid,
    frequency text NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX outcome_metrics_v1_of_organisation ON outcome_metrics_v1 (organisation_id, outcome_metric_id);

CREATE TABLE outcome_measurements_v1 (
    measurement_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    outcome_metric_id uuid NOT NULL,
    segment text,
    value numeric NOT NULL,
    n bigint,
    spread numeric,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    origin text NOT NULL,
    source text,
    revision bigint NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX outcome_measurements_v1_of_metric ON outcome_measurements_v1 (outcome_metric_id, ends_on, measurement_id);
