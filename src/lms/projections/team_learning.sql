-- What teams learned together, as they state it themselves.

CREATE TABLE team_learning_v1 (
    team_learning_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    team_id uuid NOT NULL,
    what jsonb NOT NULL,
    held_on date NOT NULL,
    participants_n bigint,
    goal_id uuid,
    competencies uuid[] NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX team_learning_v1_of_team ON team_learning_v1 (organisation_id, team_id, held_on, team_learning_id);
