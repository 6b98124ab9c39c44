-- Which goal serves which goal or outcome metric, and what a reader may see of it.

CREATE TABLE alignment_nodes_v1 (
    goal_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    position bigint NOT NULL,
    level text NOT NULL,
    title jsonb NOT NULL,
    owner_contributor_id uuid,
    owner_team_id uuid,
    proposer uuid,
    cycle_id uuid,
    visibility text NOT NULL,
    shown_to_team uuid,
    status text NOT NULL,
    anchored boolean NOT NULL
);
CREATE INDEX alignment_nodes_v1_latest ON alignment_nodes_v1 (organisation_id, position DESC);
CREATE INDEX alignment_nodes_v1_anchors ON alignment_nodes_v1 (organisation_id) WHERE anchored;

CREATE TABLE alignment_edges_v1 (
    link_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    goal_id uuid NOT NULL,
    to_goal_id uuid,
    to_key_result_id uuid,
    to_outcome_metric_id uuid,
    link_type text NOT NULL,
    weight numeric
);
CREATE INDEX alignment_edges_v1_up ON alignment_edges_v1 (goal_id);
CREATE INDEX alignment_edges_v1_down ON alignment_edges_v1 (to_goal_id) WHERE to_goal_id IS NOT NULL;
CREATE INDEX alignment_edges_v1_metrics ON alignment_edges_v1 (to_outcome_metric_id)
    WHERE to_outcome_metric_id IS NOT NULL;

CREATE TABLE alignment_invited_v1 (
    goal_id uuid NOT NULL,
    contributor_id uuid NOT NULL,
    PRIMARY KEY (goal_id, contributor_id)
);

CREATE TABLE alignment_metrics_v1 (
    metric_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL
);
