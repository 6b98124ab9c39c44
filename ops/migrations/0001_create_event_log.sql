-- What happened, in which order, and whose texts may still be read?
--
-- One lane is one dense, totally ordered log. Positions are given under the lane's lock, which is held to the end of
-- the commit: whoever sees a position sees all before it, and a rolled back append leaves no gap.
-- The application reads, and appends through one function; it can neither forge nor change an event.

CREATE SCHEMA IF NOT EXISTS lms;
GRANT USAGE ON SCHEMA lms TO lms_application;

-- Dictionaries keep names and organisations short in the log. Numbers are dense, given under a lock.

CREATE TABLE lms.event_type (
    number smallint PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE lms.organisation (
    number integer PRIMARY KEY,
    id uuid NOT NULL UNIQUE
);

-- Nothing else is indexed on the way of an append. Data and metadata are JSON in UTF-8.

CREATE TABLE lms.event (
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    stream_id uuid NOT NULL,
    command_id uuid NOT NULL,
    version integer NOT NULL,
    organisation integer NOT NULL,
    lane smallint NOT NULL,
    type smallint NOT NULL,
    schema_version smallint NOT NULL,
    metadata bytea NOT NULL,
    data bytea NOT NULL,
    CONSTRAINT event_pkey PRIMARY KEY (lane, position) WITH (fillfactor = 100),
    CONSTRAINT event_stream_version_key UNIQUE (lane, stream_id, version)
);

CREATE INDEX event_recorded_at_brin ON lms.event USING brin (recorded_at);

-- A stretch of a lane's life on one server and timeline; its events come after from_position.

CREATE TABLE lms.epoch (
    lane smallint NOT NULL,
    number integer NOT NULL,
    from_position bigint NOT NULL,
    system_identifier bigint NOT NULL,
    timeline text COLLATE "C" NOT NULL,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (lane, number)
);

-- A subject without a row never had a key; one with NULL is forgotten and never gets a second.

CREATE TABLE lms.subject_key (
    organisation_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    wrapped bytea,
    PRIMARY KEY (organisation_id, subject_id)
);

GRANT SELECT ON lms.event_type, lms.organisation, lms.event, lms.epoch, lms.subject_key TO lms_application;

-- Immutable, for the owner too.

CREATE FUNCTION lms.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lms.event
FOR EACH STATEMENT EXECUTE FUNCTION lms.refuse_change();
ALTER TABLE lms.event ENABLE ALWAYS TRIGGER event_is_append_only;

CREATE TRIGGER epoch_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lms.epoch
FOR EACH STATEMENT EXECUTE FUNCTION lms.refuse_change();
ALTER TABLE lms.epoch ENABLE ALWAYS TRIGGER epoch_is_append_only;

-- Every writer of a lane takes its lock in a statement of its own, so that what follows sees the last commit; a fixed
-- snapshot would show an old head.

CREATE FUNCTION lms.require_read_committed() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the event log is written in READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
END
$$;

-- What an append sends: its events in order, each with the command and the write it belongs to (numbered from 1 within
-- the batch), its place in the write (from 1), and what its write expects: a version, or -1 for any. And the streams
-- that its commands have read.

CREATE TYPE lms.new_event AS (
    command integer, command_id uuid, organisation integer,
    write integer, stream_id uuid, expected_version integer, step integer,
    type smallint, schema_version smallint, metadata bytea, data bytea
);

CREATE TYPE lms.read_condition AS (command integer, stream_id uuid, version integer);

-- Append a batch of commands. verdicts, per command: A appended, S stale (a version moved on), D duplicate (its command
-- id is in a stream that it writes). versions, per write: where its stream stood before. All are judged against the
-- state before the batch, so the caller puts no two commands into it of which one writes what the other writes or reads.

CREATE FUNCTION lms.append(
    p_lane smallint, p_events lms.new_event[], p_reads lms.read_condition[],
    OUT head bigint, OUT verdicts "char"[], OUT versions integer[], OUT waited_s double precision
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
DECLARE
    asked timestamptz := clock_timestamp();
    moment timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM lms.require_read_committed();
    END IF;
    PERFORM pg_advisory_xact_lock(7105907, p_lane);
    waited_s := extract(epoch FROM clock_timestamp() - asked);

    SELECT e.position, e.recorded_at INTO head, moment
    FROM lms.event AS e WHERE e.lane = p_lane ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    moment := greatest(clock_timestamp(), moment + interval '1 microsecond');

    WITH write AS MATERIALIZED (
        SELECT n.write, n.command, coalesce(s.version, 0) AS version, coalesce(s.duplicate, false) AS duplicate,
            n.expected_version NOT IN (-1, coalesce(s.version, 0)) AS stale
        FROM unnest(p_events) AS n
        CROSS JOIN LATERAL (
            SELECT max(e.version) AS version, bool_or(e.command_id = n.command_id) AS duplicate
            FROM lms.event AS e WHERE e.lane = p_lane AND e.stream_id = n.stream_id
        ) AS s
        WHERE n.step = 1
    ), judged AS (
        SELECT write.command, write.duplicate, write.stale FROM write
        UNION ALL
        SELECT r.command, false, r.version <> coalesce(s.version, 0)
        FROM unnest(p_reads) AS r
        CROSS JOIN LATERAL (
            SELECT max(e.version) AS version FROM lms.event AS e WHERE e.lane = p_lane AND e.stream_id = r.stream_id
        ) AS s
    ), verdict AS (
        SELECT judged.command,
            (CASE WHEN bool_or(judged.duplicate) THEN 'D' WHEN bool_or(judged.stale) THEN 'S' ELSE 'A' END)::"char" AS letter
        FROM judged GROUP BY judged.command
    )
    SELECT (SELECT array_agg(verdict.letter ORDER BY verdict.command) FROM verdict),
        (SELECT array_agg(write.version ORDER BY write.write) FROM write)
    INTO verdicts, versions;

    INSERT INTO lms.event (
        position, recorded_at, stream_id, command_id, version, organisation, lane, type, schema_version, metadata, data
    )
    SELECT head + row_number() OVER (ORDER BY n.write, n.step), moment, n.stream_id, n.command_id, versions[n.write] + n.step,
        n.organisation, p_lane, n.type, n.schema_version, n.metadata, n.data
    FROM unnest(p_events) AS n
    WHERE verdicts[n.command] = 'A';
END
$$;

-- The numbers of event types and organisations, given now where one is new.

CREATE FUNCTION lms.number_event_types(p_names text[]) RETURNS SETOF lms.event_type
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7105907, -1);
    INSERT INTO lms.event_type (number, name)
    SELECT (SELECT coalesce(max(t.number), 0) FROM lms.event_type AS t) + row_number() OVER (ORDER BY n.name), n.name
    FROM (SELECT DISTINCT unnest(p_names) COLLATE "C") AS n (name)
    WHERE NOT EXISTS (SELECT FROM lms.event_type AS t WHERE t.name = n.name);
    RETURN QUERY SELECT t.number, t.name FROM lms.event_type AS t WHERE t.name = ANY (p_names);
END
$$;

CREATE FUNCTION lms.number_organisations(p_ids uuid[]) RETURNS SETOF lms.organisation
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7105907, -2);
    INSERT INTO lms.organisation (number, id)
    SELECT (SELECT coalesce(max(o.number), 0) FROM lms.organisation AS o) + row_number() OVER (ORDER BY n.id), n.id
    FROM (SELECT DISTINCT unnest(p_ids)) AS n (id)
    WHERE NOT EXISTS (SELECT FROM lms.organisation AS o WHERE o.id = n.id);
    RETURN QUERY SELECT o.number, o.id FROM lms.organisation AS o WHERE o.id = ANY (p_ids);
END
$$;

-- All epochs of a lane in order, after adding one if the server or its timeline is another than the last one's.

CREATE FUNCTION lms.open_epoch(p_lane smallint) RETURNS TABLE (number integer, from_position bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    server bigint := (SELECT c.system_identifier FROM pg_control_system() AS c);
    line text := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    latest lms.epoch;
BEGIN
    PERFORM lms.require_read_committed();
    PERFORM pg_advisory_xact_lock(7105907, p_lane);
    SELECT e.* INTO latest FROM lms.epoch AS e WHERE e.lane = p_lane ORDER BY e.number DESC LIMIT 1;
    IF latest.system_identifier IS DISTINCT FROM server OR latest.timeline IS DISTINCT FROM line THEN
        INSERT INTO lms.epoch (lane, number, from_position, system_identifier, timeline, opened_at)
        SELECT p_lane, coalesce(latest.number, 0) + 1, coalesce(max(e.position), 0), server, line, clock_timestamp()
        FROM lms.event AS e WHERE e.lane = p_lane;
    END IF;
    RETURN QUERY SELECT e.number, e.from_position FROM lms.epoch AS e WHERE e.lane = p_lane ORDER BY e.number;
END
$$;

-- The keys of all these subjects, where there was none the one offered. Two statements: the second sees what another
-- session made in the meantime.

CREATE FUNCTION lms.ensure_subject_keys(p_organisation_id uuid, p_subject_ids uuid[], p_wrapped bytea[])
RETURNS TABLE (subject_id uuid, wrapped bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO lms.subject_key AS k (organisation_id, subject_id, wrapped)
    SELECT p_organisation_id, offered.subject_id, offered.wrapped
    FROM unnest(p_subject_ids, p_wrapped) AS offered (subject_id, wrapped)
    WHERE NOT EXISTS (
        SELECT FROM lms.subject_key AS made
        WHERE made.organisation_id = p_organisation_id AND made.subject_id = offered.subject_id
    )
    ORDER BY offered.subject_id
    ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT k.subject_id, k.wrapped FROM lms.subject_key AS k
    WHERE k.organisation_id = p_organisation_id AND k.subject_id = ANY (p_subject_ids);
END
$$;

CREATE FUNCTION lms.destroy_subject_key(p_organisation_id uuid, p_subject_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO lms.subject_key AS k (organisation_id, subject_id, wrapped)
    VALUES (p_organisation_id, p_subject_id, NULL)
    ON CONFLICT (organisation_id, subject_id) DO UPDATE SET wrapped = NULL
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA lms FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    lms.append, lms.number_event_types, lms.number_organisations, lms.open_epoch,
    lms.ensure_subject_keys, lms.destroy_subject_key
TO lms_application;
