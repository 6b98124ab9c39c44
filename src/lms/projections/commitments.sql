-- Who was invited to which goal, and what he answered.

CREATE TABLE commitments_v1 (
    commitment_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL,
    goal_id uuid NOT NULL,
    contributor_id uuid NOT NULL,
    status text NOT NULL,
    until date,
    visibility text NOT NULL,
    my_reason jsonb,
    invited_by uuid,
    invited_at timestamptz NOT NULL,
    made_at timestamptz
);
CREATE INDEX commitments_v1_of_contributor ON commitments_v1 (contributor_id, position DESC);
CREATE INDEX commitments_v1_of_goal ON commitments_v1 (goal_id) WHERE status = 'made';
