-- How far has each read model come, who keeps it, and which events could not be applied?
--
-- The tables of the read models themselves live in rebuildable schemas that the application owns; what stands here
-- must outlive them. A projection moves its checkpoint in the transaction that writes its rows.

CREATE TABLE lms.projection (
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    -- live: what is asked; next: what is being built to take its place.
    slot text COLLATE "C" NOT NULL CHECK (slot IN ('live', 'next')),
    -- A digest of the statements that made the tables: programs that would make others leave them alone.
    definition text COLLATE "C" NOT NULL,
    -- The tables, as schema.name in the live schemas.
    tables text[] NOT NULL,
    -- The last event that the rows contain.
    position bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    built_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Who keeps it, until when on the clock of this server. Each new owner raises the fence: no former one can write.
    owner uuid,
    until timestamptz NOT NULL DEFAULT '-infinity',
    fence bigint NOT NULL DEFAULT 0,
    -- Why it stands still, and the event type that must be known to go on, if that is why.
    paused text,
    paused_by_type text COLLATE "C",
    PRIMARY KEY (name, version, slot)
) WITH (fillfactor = 40);

CREATE TABLE lms.parked (
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    slot text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    -- What must keep its order: later events of the key park behind the first.
    key uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version, slot, position),
    FOREIGN KEY (name, version, slot) REFERENCES lms.projection ON UPDATE CASCADE ON DELETE CASCADE
);

-- The processes that keep projections, so that each takes its share. Processes of one program know the same projections
-- and event types.

CREATE TABLE lms.projector (
    id uuid PRIMARY KEY,
    program text COLLATE "C" NOT NULL,
    until timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON lms.projection, lms.parked, lms.projector TO lms_application;

-- How many sessions of a role's members read from a snapshot older than p_horizon, a transaction id? They would find
-- tables that were filled since then empty. Who is idle in such a transaction is ended, who is at work is counted.
-- Where the owner of this function may not see other sessions (no superuser, no pg_monitor), it counts none.

CREATE FUNCTION lms.end_stale_readers(p_role text, p_horizon text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    session record;
    remaining integer := 0;
BEGIN
    FOR session IN
        SELECT a.pid, a.state LIKE 'idle in transaction%' AS is_idle
        FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND a.backend_xmin IS NOT NULL
          AND age(a.backend_xmin) > age(p_horizon::xid8::xid)
          AND EXISTS (
              SELECT FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.roleid
              WHERE m.member = a.usesysid AND r.rolname = p_role
          )
    LOOP
        BEGIN
            IF NOT (session.is_idle AND pg_terminate_backend(session.pid)) THEN
                remaining := remaining + 1;
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN
            remaining := remaining + 1;
        END;
    END LOOP;
    RETURN remaining;
END
$$;

REVOKE ALL ON FUNCTION lms.end_stale_readers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lms.end_stale_readers TO lms_application;
