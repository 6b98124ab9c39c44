-- What the star schema needs to know beside the graph and does not show.

CREATE TABLE work_goal ( -- What a goal is called, and to whom it is shown: its title is a label only when all may see it.
    goal_id uuid PRIMARY KEY,
    title text,
    visibility text NOT NULL
);

CREATE TABLE work_goal_fact ( -- When a goal was proposed, and to whom it is shown as its facts are written.
    goal_id uuid PRIMARY KEY,
    visibility text NOT NULL,
    proposed_at timestamptz NOT NULL
);

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
