-- How well people do things: each record is shown to its person, and what he opened to whom he asked.

CREATE TABLE skills_v1 (
    skill_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    person uuid NOT NULL,
    competency_id uuid NOT NULL,
    level jsonb,
    claimed bigint,
    evidence jsonb NOT NULL,
    attestations jsonb NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX skills_v1_of_person ON skills_v1 (organisation_id, person, competency_id);

CREATE TABLE attestation_requests_v1 (
    request_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    skill_id uuid NOT NULL,
    person uuid NOT NULL,
    competency_id uuid NOT NULL,
    asked uuid NOT NULL,
    evidence uuid[] NOT NULL,
    status text NOT NULL,
    requested_at timestamptz NOT NULL
);
CREATE INDEX attestation_requests_v1_to ON attestation_requests_v1 (organisation_id, asked, requested_at, request_id);
CREATE INDEX attestation_requests_v1_of ON attestation_requests_v1 (skill_id);
