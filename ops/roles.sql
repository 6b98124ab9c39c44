-- Which roles does a database of lms need? Run before every migration, by the migration role, under a lock
-- that holds in the whole cluster (roles are shared by its databases). It may run any number of times.

DO $roles$
BEGIN
    -- What the application acts as (SET ROLE): reads the log, calls the append function, owns the rebuildable schemas.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lms_application') THEN
        CREATE ROLE lms_application NOLOGIN;
    END IF;
    -- What a BI login is a member of: sees the schema bi and nothing else.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bi_reader') THEN
        CREATE ROLE bi_reader NOLOGIN;
    END IF;
    -- Nobody but the listed roles may connect or make objects.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    -- CREATE: the application owns the schemas read, bi and those in the making.
    EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO lms_application', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO bi_reader', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
END
$roles$;
