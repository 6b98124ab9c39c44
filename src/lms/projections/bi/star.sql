-- The star schema that BI tools read. What stands behind a table or column here is its comment in the database:
-- what it counts, and whether it may be summed (additive), summed over all but time (semi-additive), or not.
-- Keys are positions of the log. Dimensions marked "versions" keep history: a fact points to the version of its time.

CREATE TABLE dim_organisation ( -- Organisations; a login sees one.
    organisation_key bigint PRIMARY KEY, -- Key of the organisation.
    organisation_id uuid NOT NULL UNIQUE, -- Id of the organisation in the API.
    name text NOT NULL, -- Name.
    time_zone text NOT NULL, -- Time zone in which its days begin and end.
    currency text NOT NULL, -- Its currency, ISO 4217.
    language text NOT NULL -- Language of its labels.
);

CREATE TABLE dim_date ( -- Days, without gaps in the years that anything points to.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    date_key integer NOT NULL, -- Key of the day: year, month and day as one number, such as 20260331.
    day date NOT NULL, -- The day.
    year integer NOT NULL, -- Year.
    quarter integer NOT NULL, -- Quarter of the year, 1 to 4.
    month integer NOT NULL, -- Month of the year, 1 to 12.
    iso_year integer NOT NULL, -- Year to which the ISO week belongs.
    iso_week integer NOT NULL, -- ISO week, 1 to 53.
    iso_weekday integer NOT NULL, -- Day of the week, 1 is Monday.
    PRIMARY KEY (organisation_key, date_key)
);

CREATE TABLE dim_cycle ( -- Goal cycles.
    cycle_key bigint PRIMARY KEY, -- Key of the cycle.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    cycle_id uuid NOT NULL UNIQUE, -- Id in the API.
    name text NOT NULL, -- Name.
    starts_on date NOT NULL, -- First day.
    ends_on date NOT NULL, -- Last day.
    check_in_every_days integer NOT NULL, -- Days between check-ins; not additive.
    closed_on date -- Day on which it was closed; null while it is open.
);

CREATE TABLE dim_team ( -- Teams, in versions.
    team_key bigint PRIMARY KEY, -- Key of this version of the team.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    team_id uuid NOT NULL, -- Id in the API, the same in all versions.
    name text NOT NULL, -- Name.
    parent_team_id uuid, -- Id of the team above it; null at the top.
    distance_to_customer integer, -- Hand-overs between the team and the customer; null until said; not additive.
    disbanded_on date, -- Day on which it was disbanded; null while it stands.
    valid_from date NOT NULL, -- First day of this version.
    valid_to date, -- Day on which the next version began; null for the current one.
    is_current boolean NOT NULL -- Whether this is the current version.
);
CREATE INDEX ON dim_team (team_id, team_key);

CREATE TABLE dim_unit ( -- Reporting units: teams joined until nobody can be picked out, fixed per quarter.
    unit_key bigint PRIMARY KEY, -- Key of the unit in one quarter.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    name text NOT NULL, -- Names of the teams that count in it.
    teams_n integer NOT NULL, -- Teams that count in it; additive within a quarter.
    valid_from date NOT NULL, -- First day of the quarter.
    valid_to date NOT NULL, -- Last day of the quarter.
    is_current boolean NOT NULL -- Whether this is the latest quarter with units.
);

CREATE TABLE bridge_unit_team ( -- Which teams count in which reporting unit.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    unit_key bigint NOT NULL REFERENCES dim_unit, -- Reporting unit.
    team_key bigint NOT NULL REFERENCES dim_team, -- Team, as it was when the unit was fixed or the team joined it.
    PRIMARY KEY (unit_key, team_key)
);

CREATE TABLE dim_competency ( -- Competencies, in versions; one row per organisation stands for "(other)".
    competency_key bigint PRIMARY KEY, -- Key of this version.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    competency_id uuid, -- Id in the API; null for "(other)".
    label text NOT NULL, -- Label in the organisation's language, or "(other)".
    kind text, -- skill or knowledge; null for "(other)".
    code text, -- Code in its framework.
    is_other boolean NOT NULL, -- Whether this row stands for all that is too rare to be shown.
    valid_from date NOT NULL, -- First day of this version.
    valid_to date, -- Day on which the next version began; null for the current one.
    is_current boolean NOT NULL -- Whether this is the current version.
);
CREATE INDEX ON dim_competency (competency_id, competency_key);

CREATE TABLE dim_outcome_metric ( -- Outcome metrics: the figures by which the business sees that it gains, in versions.
    metric_key bigint PRIMARY KEY, -- Key of this version.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    outcome_metric_id uuid NOT NULL, -- Id in the API.
    name text NOT NULL, -- Name.
    unit text NOT NULL, -- Unit, or ISO 4217.
    direction text NOT NULL, -- Which way is better: increase, decrease, hold.
    measures text NOT NULL, -- What it is about: customer, process, finance, person-volume.
    aggregation text NOT NULL, -- How periods become one figure: mean, sum, latest.
    frequency text NOT NULL, -- How often it is expected.
    valid_from date NOT NULL, -- First day of this version.
    valid_to date, -- Day on which the next version began; null for the current one.
    is_current boolean NOT NULL -- Whether this is the current version.
);
CREATE INDEX ON dim_outcome_metric (outcome_metric_id, metric_key);

CREATE TABLE dim_process ( -- Processes, in versions.
    process_key bigint PRIMARY KEY, -- Key of this version.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    process_id uuid NOT NULL, -- Id in the API.
    name text NOT NULL, -- Name.
    owner_team_key bigint REFERENCES dim_team, -- Team that owns it; null where the team is not known here.
    value_stream text, -- Value stream.
    valid_from date NOT NULL, -- First day of this version.
    valid_to date, -- Day on which the next version began; null for the current one.
    is_current boolean NOT NULL -- Whether this is the current version.
);
CREATE INDEX ON dim_process (process_id, process_key);

CREATE TABLE dim_process_measure ( -- Measures of processes.
    measure_key bigint PRIMARY KEY, -- Key of the measure.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    measure_id uuid NOT NULL UNIQUE, -- Id in the API.
    process_key bigint NOT NULL REFERENCES dim_process, -- Its process.
    name text NOT NULL, -- Name.
    unit text NOT NULL, -- Unit, or ISO 4217.
    direction text NOT NULL -- Which way is better: increase, decrease, hold.
);

CREATE TABLE dim_goal ( -- Goals of teams and of the business model that the whole organisation may see, in versions.
    goal_key bigint PRIMARY KEY, -- Key of this version.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    goal_id uuid NOT NULL, -- Id in the API.
    level text NOT NULL, -- team or business-model.
    title text, -- Title; null where it was forgotten.
    team_key bigint REFERENCES dim_team, -- Team that owns it; null for the organisation's.
    cycle_key bigint REFERENCES dim_cycle, -- Goal cycle.
    metric_key bigint REFERENCES dim_outcome_metric, -- Outcome metric in its purpose.
    process_key bigint REFERENCES dim_process, -- Process in its purpose.
    status text NOT NULL, -- proposed, active, achieved, not-achieved, abandoned.
    valid_from date NOT NULL, -- First day of this version.
    valid_to date, -- Day on which the next version began; null for the current one.
    is_current boolean NOT NULL -- Whether this is the current version.
);
CREATE INDEX ON dim_goal (goal_id, goal_key);

CREATE TABLE dim_key_result ( -- Key results of the goals in dim_goal, in versions.
    key_result_key bigint PRIMARY KEY, -- Key of this version.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    key_result_id uuid NOT NULL, -- Id in the API.
    goal_id uuid NOT NULL, -- Id of its goal in the API, see dim_goal.
    title text, -- Title; null for none.
    kind text NOT NULL, -- metric or milestone.
    unit text, -- Unit, or ISO 4217; null for a milestone.
    direction text NOT NULL, -- Which way is better: increase, decrease, hold.
    baseline double precision, -- Value at the beginning; not additive.
    target double precision NOT NULL, -- Value to be reached; not additive.
    stretch double precision, -- Value beyond the target; not additive.
    due_on date, -- Day by which it is to be reached.
    weight double precision NOT NULL, -- Weight within its goal, 0 to 1; not additive.
    valid_from date NOT NULL, -- First day of this version.
    valid_to date, -- Day on which the next version began; null for the current one.
    is_current boolean NOT NULL -- Whether this is the current version.
);
CREATE INDEX ON dim_key_result (key_result_id, key_result_key);
CREATE INDEX ON dim_key_result (goal_id);

CREATE TABLE dim_segment ( -- Segments of customers or markets that outcomes are measured in.
    segment_key bigint PRIMARY KEY, -- Key of the segment.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    name text NOT NULL, -- Name.
    UNIQUE (organisation_key, name)
);

CREATE TABLE dim_evidence_grade ( -- What the evidence of a link allows to be said.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    grade integer NOT NULL, -- Grade, 0 (least) to 4; not additive.
    may_say text NOT NULL, -- Wording that the grade allows of a measured change for the better.
    PRIMARY KEY (organisation_key, grade)
);

CREATE TABLE bridge_goal_ancestry ( -- Every goal with every goal above it, itself included; current versions.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    ancestor_goal_key bigint NOT NULL REFERENCES dim_goal, -- The goal above, or the goal itself.
    descendant_goal_key bigint NOT NULL REFERENCES dim_goal, -- The goal below.
    link_type text NOT NULL, -- contributes-to (over any number of links), or a single link of supports or influences.
    depth integer NOT NULL, -- Links on the shortest way; 0 for the goal itself; not additive.
    path_weight double precision NOT NULL, -- Sum over all ways of the product of their weights, missing ones shared equally.
    PRIMARY KEY (ancestor_goal_key, descendant_goal_key, link_type)
);
CREATE INDEX ON bridge_goal_ancestry (descendant_goal_key);

CREATE TABLE fact_line_of_sight ( -- One chain from learning to an outcome at the end of a week, as known then. Learning stands where the team states it or five people learned.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    week_date_key integer NOT NULL, -- Last day of the week.
    chain_id uuid NOT NULL, -- The chain: the same in every week.
    unit_key bigint REFERENCES dim_unit, -- Reporting unit of the team whose improvement or goal it is; null without a team.
    team_key bigint REFERENCES dim_team, -- Team whose improvement or goal it is; null without a team.
    competency_key bigint REFERENCES dim_competency, -- Competency at its start.
    goal_key bigint REFERENCES dim_goal, -- Goal at its start.
    improvement_key bigint, -- Improvement that it runs over.
    measure_key bigint REFERENCES dim_process_measure, -- Process measure that it runs over.
    metric_key bigint REFERENCES dim_outcome_metric, -- Outcome metric at its end.
    links_n integer NOT NULL, -- Links that stand; additive within a week.
    weakest_grade integer, -- Grade of the link that says least; null without a link; not additive.
    learning_grade integer, -- Grade of learning -> improvement; null where it is missing; not additive.
    improvement_grade integer, -- Grade of improvement -> process measure; null where it is missing; not additive.
    outcome_grade integer, -- Grade of process measure -> outcome metric; null where it is missing; not additive.
    verdict text, -- What before and after on the process measure say; null without a result.
    state text NOT NULL, -- evidenced, reported, asserted or broken. Count the rows: additive within a week.
    missing text, -- What a broken chain lacks: no-learning, no-outcome, or both.
    live boolean NOT NULL, -- Whether every link stands, its goals are active and its lower end was touched lately.
    suppressed boolean NOT NULL, -- Whether learning of fewer than five people was left out.
    PRIMARY KEY (organisation_key, week_date_key, chain_id),
    FOREIGN KEY (organisation_key, week_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, weakest_grade) REFERENCES dim_evidence_grade
);

CREATE TABLE fact_learning ( -- Learning entries by reporting unit, kind and quarter, counted when the quarter closed.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    unit_key bigint NOT NULL REFERENCES dim_unit, -- Reporting unit.
    kind text NOT NULL, -- How it was learned; "(other)" joins kinds that fewer than five people logged.
    quarter_date_key integer NOT NULL, -- Last day of the quarter.
    entries_n bigint, -- Entries; additive; null where suppressed.
    people_n bigint, -- People who logged them; not additive over kinds and quarters; null where suppressed.
    entries_with_goal_n bigint, -- Entries that name a goal; additive; null where suppressed, and where one to four people have some that do, or do not.
    entries_with_path_n bigint, -- Entries linked to an outcome by an improvement or a goal; additive; null as the entries with a goal.
    revision integer NOT NULL, -- 0 as counted at the close; counts up when later entries of five people or more changed it.
    suppressed boolean NOT NULL, -- Whether fewer than five people stand behind the row, or the unit is too small; its figures are withheld.
    PRIMARY KEY (unit_key, kind, quarter_date_key),
    FOREIGN KEY (organisation_key, quarter_date_key) REFERENCES dim_date
);

CREATE TABLE fact_learning_competency ( -- Learning entries by reporting unit, competency and quarter, counted at its close.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    unit_key bigint NOT NULL REFERENCES dim_unit, -- Reporting unit.
    competency_key bigint NOT NULL REFERENCES dim_competency, -- Competency; "(other)" joins those of fewer than five people.
    quarter_date_key integer NOT NULL, -- Last day of the quarter.
    entries_n bigint, -- Entries that name the competency; not additive over competencies; null where suppressed.
    entries_weighted double precision, -- Entries, each shared among the competencies it names; additive; null where suppressed.
    people_n bigint, -- People who logged them; not additive over competencies and quarters; null where suppressed.
    revision integer NOT NULL, -- 0 as counted at the close; counts up when later entries of five people or more changed it.
    suppressed boolean NOT NULL, -- Whether fewer than five people stand behind the row, or the unit is too small; its figures are withheld.
    PRIMARY KEY (unit_key, competency_key, quarter_date_key),
    FOREIGN KEY (organisation_key, quarter_date_key) REFERENCES dim_date
);

CREATE TABLE fact_headcount ( -- Employees by reporting unit at the end of a month.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    unit_key bigint NOT NULL REFERENCES dim_unit, -- Reporting unit.
    month_date_key integer NOT NULL, -- Last day of the month.
    members_n bigint, -- Employees who count there; semi-additive: over units, not over months; null where suppressed.
    suppressed boolean NOT NULL, -- Whether there are fewer than a reporting unit must have, so that the figure is withheld.
    PRIMARY KEY (unit_key, month_date_key),
    FOREIGN KEY (organisation_key, month_date_key) REFERENCES dim_date
);

CREATE TABLE fact_improvement ( -- Improvements, from opened to checked after 90 days, with their latest result.
    improvement_key bigint PRIMARY KEY, -- Key of the improvement.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    improvement_id uuid NOT NULL UNIQUE, -- Id in the API.
    team_key bigint REFERENCES dim_team, -- Team, as it was when it opened the improvement.
    process_key bigint REFERENCES dim_process, -- Process that it improves.
    measure_key bigint REFERENCES dim_process_measure, -- Measure of the result, else of the target.
    goal_key bigint REFERENCES dim_goal, -- Goal that it serves; null for none, for a person's own, and for one that was hidden since or then.
    opened_date_key integer, -- Day on which it was opened.
    planned_date_key integer, -- Day of the first planned experiment.
    run_date_key integer, -- Day of the first experiment run.
    reviewed_date_key integer, -- Day of the first review.
    result_date_key integer, -- Last day of the after-window.
    adopted_date_key integer, -- Day on which the new way became the standard.
    checked_30d_date_key integer, -- Last day of the check after 30 days.
    checked_90d_date_key integer, -- Last day of the check after 90 days.
    reverted_date_key integer, -- Day on which it was taken back.
    experiments_n bigint NOT NULL, -- Experiments planned; additive.
    before_value double precision, -- Mean before, in the measure's unit; not additive.
    before_n bigint, -- Observations before; additive.
    before_spread double precision, -- Standard deviation before; not additive.
    after_value double precision, -- Mean after; not additive.
    after_n bigint, -- Observations after; additive.
    after_spread double precision, -- Standard deviation after; not additive.
    difference double precision, -- After minus before; not additive; null with too little data.
    interval_low double precision, -- Lower bound of the difference; not additive.
    interval_high double precision, -- Upper bound of the difference; not additive.
    confidence double precision, -- Confidence of the interval, such as 0.95; not additive.
    grade integer, -- Evidence grade of improvement -> process measure, 0 to 4; not additive.
    verdict text, -- better, worse, no-clear-change or insufficient-data; null without a result.
    sustained boolean, -- Whether the gain held at the last check; null where nothing can be said.
    FOREIGN KEY (organisation_key, opened_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, planned_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, run_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, reviewed_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, result_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, adopted_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, checked_30d_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, checked_90d_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, reverted_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, grade) REFERENCES dim_evidence_grade
);

CREATE TABLE fact_outcome_measure ( -- Values of outcome metrics, every revision kept.
    measurement_key bigint PRIMARY KEY, -- Key of this revision.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    measurement_id uuid NOT NULL, -- Id in the API, the same in all revisions.
    metric_key bigint NOT NULL REFERENCES dim_outcome_metric, -- Outcome metric.
    segment_key bigint REFERENCES dim_segment, -- Segment; null for all together.
    start_date_key integer, -- First day of the period.
    end_date_key integer, -- Last day of the period.
    value double precision NOT NULL, -- Value, in the metric's unit; aggregate as the metric says, never by summing blindly.
    n bigint, -- Observations behind it; additive over periods of one metric; null where not known.
    spread double precision, -- Standard deviation; not additive; null where not known.
    origin text NOT NULL, -- system, counted or recalled.
    revision integer NOT NULL, -- 0 for the first value, then counting up; not additive.
    is_latest boolean NOT NULL, -- Whether no later revision replaces it.
    FOREIGN KEY (organisation_key, start_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, end_date_key) REFERENCES dim_date
);
CREATE INDEX ON fact_outcome_measure (measurement_id);
CREATE INDEX ON fact_outcome_measure (metric_key, end_date_key);

CREATE TABLE fact_process_measure ( -- Values of process measures, every revision kept.
    measurement_key bigint PRIMARY KEY, -- Key of this revision.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    measurement_id uuid NOT NULL, -- Id in the API, the same in all revisions.
    measure_key bigint NOT NULL REFERENCES dim_process_measure, -- Process measure.
    start_date_key integer, -- First day of the period.
    end_date_key integer, -- Last day of the period.
    value double precision NOT NULL, -- Value, in the measure's unit; not additive.
    n bigint, -- Observations behind it; additive over periods of one measure; null where not known.
    spread double precision, -- Standard deviation; not additive; null where not known.
    origin text NOT NULL, -- system, counted or recalled.
    revision integer NOT NULL, -- 0 for the first value, then counting up; not additive.
    is_latest boolean NOT NULL, -- Whether no later revision replaces it.
    FOREIGN KEY (organisation_key, start_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, end_date_key) REFERENCES dim_date
);
CREATE INDEX ON fact_process_measure (measurement_id);
CREATE INDEX ON fact_process_measure (measure_key, end_date_key);

CREATE TABLE fact_checkin ( -- Check-ins on the goals in dim_goal, made while the whole organisation may see them.
    checkin_key bigint PRIMARY KEY, -- Key of the check-in or correction.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    check_in_id uuid NOT NULL, -- Id in the API, the same for a check-in and its corrections.
    goal_key bigint NOT NULL REFERENCES dim_goal, -- Goal, as it was then.
    key_result_key bigint REFERENCES dim_key_result, -- Key result, as it was then.
    value double precision, -- Value, in the key result's unit; null where measurements feed it; not additive.
    confidence integer, -- Confidence, 0 to 10; not additive.
    observed_date_key integer, -- Day it tells of.
    recorded_date_key integer, -- Day on which it was written.
    is_correction boolean NOT NULL, -- Whether it corrects an earlier check-in.
    FOREIGN KEY (organisation_key, observed_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, recorded_date_key) REFERENCES dim_date
);

CREATE TABLE fact_goal_lifecycle ( -- The goals in dim_goal, from proposed to closed.
    goal_key bigint PRIMARY KEY REFERENCES dim_goal, -- Goal, as it was when it was first shown.
    organisation_key bigint NOT NULL REFERENCES dim_organisation, -- Organisation.
    goal_id uuid NOT NULL UNIQUE, -- Id in the API, see dim_goal for its versions.
    proposed_date_key integer, -- Day on which it was proposed.
    set_date_key integer, -- Day on which it was set.
    first_checkin_date_key integer, -- Day that the first check-in tells of.
    first_adjustment_date_key integer, -- Day of the first adjustment.
    closed_date_key integer, -- Day on which it was closed.
    how text, -- How it was set; null while it is only proposed.
    participants_n integer, -- People who took part in setting it; not additive: the same people set several goals.
    hours_to_set double precision, -- Hours from proposed to set; not additive.
    days_open integer, -- Days from set (else proposed) to closed; not additive; null while it is open.
    adjustments_n integer NOT NULL, -- Adjustments; additive.
    result text, -- achieved, not-achieved or abandoned; null while it is open.
    FOREIGN KEY (organisation_key, proposed_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, set_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, first_checkin_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, first_adjustment_date_key) REFERENCES dim_date,
    FOREIGN KEY (organisation_key, closed_date_key) REFERENCES dim_date
);

ALTER TABLE fact_line_of_sight ADD FOREIGN KEY (improvement_key) REFERENCES fact_improvement;

-- Who reads what: a login its own organisation's rows, and nothing else. The function looks up the login with the
-- rights of the application, and answers with null for every other role, so that those see no row.

CREATE FUNCTION reader_organisation_key() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.organisation_key FROM dim_organisation AS o
    JOIN lms.bi_login AS l ON l.organisation_id = o.organisation_id WHERE l.login = session_user;
END;
REVOKE ALL ON FUNCTION reader_organisation_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reader_organisation_key() TO bi_reader;

DO $rules$
DECLARE
    made text;
BEGIN
    FOR made IN SELECT oid::regclass::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made);
        EXECUTE format('CREATE POLICY own_organisation ON %s FOR SELECT TO bi_reader '
                       'USING (organisation_key = (SELECT reader_organisation_key()))', made);
        EXECUTE format('GRANT SELECT ON %s TO bi_reader', made);
    END LOOP;
END
$rules$;
