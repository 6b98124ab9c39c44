-- How processes run: what they are, and what was measured of them.

CREATE TABLE processes_v1 (
    process_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    owner_team_id uuid NOT NULL,
    value_stream text,
    measures jsonb NOT NULL,
    hand_offs jsonb NOT NULL,
    outcome_links jsonb NOT NULL,
    improved jsonb NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX processes_v1_of_organisation ON processes_v1 (organisation_id, process_id);
CREATE INDEX processes_v1_of_team ON processes_v1 (owner_team_id, process_id);
CREATE INDEX processes_v1_by_measure ON processes_v1 USING gin (measures jsonb_path_ops);

CREATE TABLE process_measurements_v1 (
    measurement_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    process_id uuid NOT NULL,
    measure_id uuid NOT NULL,
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
CREATE INDEX process_measurements_v1_of_measure ON process_measurements_v1 (measure_id, ends_on, measurement_id);
CREATE INDEX process_measurements_v1_of_process ON process_measurements_v1 (process_id, ends_on, measurement_id);
