-- How each organisation is set up, and in which cycles its goals run.

CREATE TABLE organisations_v1 (
    organisation_id uuid PRIMARY KEY,
    name text NOT NULL,
    time_zone text NOT NULL,
    currency text NOT NULL,
    language text NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE goal_cycles_v1 (
    cycle_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    check_in_every_days bigint NOT NULL,
    closed_on date,
    version bigint NOT NULL
);
CREATE INDEX goal_cycles_v1_of_organisation ON goal_cycles_v1 (organisation_id, starts_on, cycle_id);
