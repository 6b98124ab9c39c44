-- Who works with whom: contributors, the tree of teams, and who is a member of which.

CREATE TABLE contributors_v1 (
    contributor_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    kind text NOT NULL,
    role_band text,
    name jsonb NOT NULL,
    email jsonb,
    home_team_id uuid,
    registered_on date NOT NULL,
    left_on date,
    is_forgotten boolean NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX contributors_v1_of_organisation ON contributors_v1 (organisation_id, contributor_id);

CREATE TABLE teams_v1 (
    team_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    parent_team_id uuid,
    lead uuid,
    distance bigint,
    formed_on date NOT NULL,
    disbanded_on date,
    version bigint NOT NULL
);
CREATE INDEX teams_v1_of_organisation ON teams_v1 (organisation_id, team_id);
CREATE INDEX teams_v1_under ON teams_v1 (parent_team_id);
CREATE INDEX teams_v1_led_by ON teams_v1 (lead);

CREATE TABLE memberships_v1 (
    team_id uuid NOT NULL,
    contributor_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    home boolean NOT NULL,
    since date NOT NULL,
    PRIMARY KEY (team_id, contributor_id)
);
CREATE INDEX memberships_v1_of_contributor ON memberships_v1 (contributor_id);
