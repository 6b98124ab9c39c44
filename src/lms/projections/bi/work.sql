-- What the star schema needs to know beside the graph and does not show.

CREATE TABLE work_goal ( -- What a goal is called, and to whom it is shown: its title is a label only when all may see it.
    goal_id uuid PRIMARY KEY,
    title text,
    visibility text NOT NULL
);
