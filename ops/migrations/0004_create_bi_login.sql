-- Which organisation does a BI login read? The row policies of the schema bi ask this table, by session_user.
-- `lms bi grant` writes it as the migration role; the application only reads it.

CREATE TABLE lms.bi_login (
    login text PRIMARY KEY,
    organisation_id uuid NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT ON lms.bi_login TO lms_application;
