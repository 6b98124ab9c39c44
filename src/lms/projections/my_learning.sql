-- What people logged, entry by entry: each is shown to its learner alone.

CREATE TABLE learning_entries_v1 (
    entry_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    learner uuid NOT NULL,
    kind text NOT NULL,
    minutes bigint,
    learned_on date NOT NULL,
    competencies uuid[] NOT NULL,
    goal_id uuid,
    need_ids uuid[] NOT NULL,
    rating bigint,
    activity text,
    note jsonb,
    visibility text NOT NULL,
    logged_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX learning_entries_v1_of_learner ON learning_entries_v1 (organisation_id, learner, learned_on, entry_id);
