-- What can be learned, under which names, in which frameworks, and in which steps it is told.

CREATE TABLE competencies_v1 (
    competency_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    framework_id uuid,
    code text,
    kind text NOT NULL,
    labels jsonb NOT NULL,
    alt_labels jsonb NOT NULL,
    refs jsonb NOT NULL,
    broader jsonb NOT NULL,
    scale_id uuid,
    is_retired boolean NOT NULL,
    sort_label text COLLATE "C" NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX competencies_v1_by_label ON competencies_v1 (organisation_id, sort_label, competency_id);

CREATE TABLE competency_terms_v1 (
    competency_id uuid NOT NULL,
    language text NOT NULL,
    term text COLLATE "C" NOT NULL,
    organisation_id uuid NOT NULL,
    preferred boolean NOT NULL,
    stems text[] NOT NULL,
    PRIMARY KEY (competency_id, language, term)
);
CREATE INDEX competency_terms_v1_by_term ON competency_terms_v1 (organisation_id, term);
CREATE INDEX competency_terms_v1_by_stem ON competency_terms_v1 USING gin (stems);

CREATE TABLE competency_frameworks_v1 (
    framework_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    publisher text,
    edition text,
    uri text,
    acknowledgement text,
    version bigint NOT NULL
);
CREATE INDEX competency_frameworks_v1_of_organisation ON competency_frameworks_v1 (organisation_id, framework_id);

CREATE TABLE proficiency_scales_v1 (
    scale_id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    name text NOT NULL,
    levels jsonb NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX proficiency_scales_v1_of_organisation ON proficiency_scales_v1 (organisation_id, scale_id);
