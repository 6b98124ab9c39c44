CREATE TABLE calendar_v1 (
    organisation_id uuid PRIMARY KEY,
    time_zone text NOT NULL,
    registered_at timestamptz NOT NULL,
    week date,
    month date,
    quarter date
);
