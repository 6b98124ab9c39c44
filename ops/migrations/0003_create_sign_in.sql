-- Who signs in, and who looked at whom?
--
-- An e-mail address, or an issuer and subject of OIDC, is known by a fingerprint under the organisation's key, so that
-- the table alone tells no name; what stands behind it is sealed under the person's own key. Forgetting deletes the rows.

CREATE TABLE lms.sign_in (
    organisation_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    contributor_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL CONSTRAINT sign_in_kind_check CHECK (kind IN ('email', 'subject')),
    sealed jsonb NOT NULL,
    CONSTRAINT sign_in_pkey PRIMARY KEY (organisation_id, fingerprint)
);

CREATE INDEX sign_in_of_contributor ON lms.sign_in (organisation_id, contributor_id);

GRANT SELECT, INSERT, DELETE ON lms.sign_in TO lms_application;

-- Reads of one person's record by another. The application adds and never changes.

CREATE TABLE lms.access_log (
    entry_id uuid NOT NULL CONSTRAINT access_log_pkey PRIMARY KEY,
    organisation_id uuid NOT NULL,
    about_id uuid NOT NULL,
    reader_id uuid NOT NULL,
    what text COLLATE "C" NOT NULL,
    read_at timestamptz NOT NULL
);

CREATE INDEX access_log_about ON lms.access_log (organisation_id, about_id, entry_id);

GRANT SELECT, INSERT ON lms.access_log TO lms_application;
