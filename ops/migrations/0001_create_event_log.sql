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

-- The lock of a lane. It must be a statement of its own, so that what follows takes its snapshot after the lock.

CREATE FUNCTION lms.lock_lane(p_lane smallint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a lane is locked in READ COMMITTED only: a fixed snapshot would show an old head'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(7105907, p_lane);
END
$$;

-- Append a batch of commands. Each has one or more writes (w_*: numbers from 1, in order), read conditions (r_*) and
-- events (e_*: of write e_write, the e_step-th from 1). An expected version of -1 accepts any.
-- verdicts per command: A appended, S stale (a version moved on), D duplicate (the command id is in a stream it writes).
-- versions per write: where its stream stood before. The caller sends no two commands of which one writes what the other
-- writes or reads: all are judged against the state before the batch.

CREATE FUNCTION lms.append(
    p_lane smallint,
    w_command integer[], w_command_id uuid[], w_organisation integer[], w_stream uuid[], w_expected integer[],
    r_command integer[], r_stream uuid[], r_version integer[],
    e_write integer[], e_step integer[], e_type smallint[], e_schema_version smallint[],
    e_metadata bytea[], e_data bytea[],
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
    PERFORM lms.lock_lane(p_lane);
    waited_s := extract(epoch FROM clock_timestamp() - asked);

    SELECT e.position, e.recorded_at INTO head, moment
    FROM lms.event AS e WHERE e.lane = p_lane ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    moment := greatest(clock_timestamp(), moment + interval '1 microsecond');

    WITH write AS MATERIALIZED (
        SELECT w.number, w.command, w.expected, coalesce(s.version, 0) AS version, coalesce(s.duplicate, false) AS duplicate
        FROM unnest(w_command, w_command_id, w_stream, w_expected)
            WITH ORDINALITY AS w (command, command_id, stream, expected, number)
        CROSS JOIN LATERAL (
            SELECT max(e.version) AS version, bool_or(e.command_id = w.command_id) AS duplicate
            FROM lms.event AS e WHERE e.lane = p_lane AND e.stream_id = w.stream
        ) AS s
    ), judged AS (
        SELECT write.command, write.duplicate, write.expected NOT IN (-1, write.version) AS stale FROM write
        UNION ALL
        SELECT r.command, false, r.version <> coalesce(s.version, 0)
        FROM unnest(r_command, r_stream, r_version) AS r (command, stream, version)
        CROSS JOIN LATERAL (
            SELECT max(e.version) AS version FROM lms.event AS e WHERE e.lane = p_lane AND e.stream_id = r.stream
        ) AS s
    ), verdict AS (
        SELECT command,
            (CASE WHEN bool_or(duplicate) THEN 'D' WHEN bool_or(stale) THEN 'S' ELSE 'A' END)::"char" AS letter
        FROM judged GROUP BY command
    )
    SELECT (SELECT array_agg(verdict.letter ORDER BY verdict.command) FROM verdict),
        (SELECT array_agg(write.version ORDER BY write.number) FROM write)
    INTO verdicts, versions;

    INSERT INTO lms.event (
        position, recorded_at, stream_id, command_id, version, organisation, lane, type, schema_version, metadata, data
    )
    SELECT head + row_number() OVER (ORDER BY e.number), moment, w_stream[e.write], w_command_id[e.write],
        versions[e.write] + e.step, w_organisation[e.write], p_lane, e.type, e.schema_version, e.metadata, e.data
    FROM unnest(e_write, e_step, e_type, e_schema_version, e_metadata, e_data)
        WITH ORDINALITY AS e (write, step, type, schema_version, metadata, data, number)
    WHERE verdicts[w_command[e.write]] = 'A'
    ORDER BY e.number;
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
    PERFORM lms.lock_lane(p_lane);
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
