-- What the star schema needs to know beside the graph and does not show.

CREATE TABLE work_goal ( -- Every goal of a team or of the business model as it is now, shown to the whole organisation or not.
    goal_id uuid PRIMARY KEY,
    organisation_key bigint NOT NULL,
    level text NOT NULL,
    title text,
    team_key bigint,
    cycle_key bigint,
    metric_key bigint,
    process_key bigint,
    status text NOT NULL,
    visibility text NOT NULL
);

CREATE TABLE work_goal_life ( -- How every such goal goes, and to whom it is shown as that is written.
    goal_id uuid PRIMARY KEY,
    organisation_key bigint NOT NULL,
    visibility text NOT NULL,
    proposed_at timestamptz NOT NULL,
    proposed_date_key integer,
    set_date_key integer,
    first_checkin_date_key integer,
    first_adjustment_date_key integer,
    closed_date_key integer,
    how text,
    participants_n integer,
    hours_to_set double precision,
    days_open integer,
    adjustments_n integer NOT NULL,
    result text
);

CREATE TABLE work_key_result ( -- Every key result of such a goal as it is now, and the key of that version.
    key_result_id uuid PRIMARY KEY,
    key_result_key bigint NOT NULL,
    organisation_key bigint NOT NULL,
    goal_id uuid NOT NULL,
    title text,
    kind text NOT NULL,
    unit text,
    direction text NOT NULL,
    baseline double precision,
    target double precision NOT NULL,
    stretch double precision,
    due_on date,
    weight double precision NOT NULL
);
CREATE INDEX ON work_key_result (goal_id);

CREATE TABLE work_quarter_person ( -- Where a person counted in a closed quarter, and a digest of what was counted.
    quarter_ends_on date NOT NULL,
    contributor_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    unit_key bigint NOT NULL,
    digest text,
    PRIMARY KEY (quarter_ends_on, contributor_id)
);
CREATE INDEX ON work_quarter_person (organisation_id, quarter_ends_on);

CREATE TABLE work_quarter ( -- The closed quarters.
    organisation_id uuid NOT NULL,
    quarter_ends_on date NOT NULL,
    starts_on date NOT NULL,
    PRIMARY KEY (organisation_id, quarter_ends_on)
);

CREATE TABLE work_late_person ( -- Whose learning in a closed quarter may differ from what was counted.
    quarter_ends_on date NOT NULL,
    contributor_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    PRIMARY KEY (quarter_ends_on, contributor_id)
);
CREATE INDEX ON work_late_person (organisation_id);
