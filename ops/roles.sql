-- Which roles does a database of lms need? Run before every migration, by the migrating login, any number of times.
-- Roles are shared by all databases of a server; the setting lms.app_login names the login of the application.

DO $roles$
DECLARE
    app_login text := nullif(current_setting('lms.app_login', true), '');
    member text;
    helper text;
    membership text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    -- What the application acts as (SET ROLE): reads the log, calls the append function, owns the rebuildable schemas.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lms_application') THEN
        CREATE ROLE lms_application NOLOGIN;
    END IF;
    -- What a BI login is a member of: sees the schema bi and nothing else.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bi_reader') THEN
        CREATE ROLE bi_reader NOLOGIN;
    END IF;

    -- Both logins may act as the application: the migrating one hands schemas over to it.
    FOREACH member IN ARRAY ARRAY[current_user::text, app_login] LOOP
        IF member IS NOT NULL AND NOT pg_has_role(member, 'lms_application', membership) THEN
            EXECUTE format('GRANT lms_application TO %I', member);
        END IF;
    END LOOP;

    -- Sessions of BI tools that hold an old snapshot are seen and ended before the schema bi is switched.
    FOREACH helper IN ARRAY ARRAY['pg_signal_backend', 'pg_read_all_stats'] LOOP
        IF NOT pg_has_role('lms_application', helper, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO lms_application', helper);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE NOTICE 'lms: % is not granted to lms_application, lms doctor says what that means', helper;
            END;
        END IF;
    END LOOP;

    -- Nobody but the listed roles may connect or make objects. CREATE: the application owns the schemas read and bi.
    IF has_database_privilege('lms_application', current_database(), 'CREATE')
       AND NOT has_database_privilege('public', current_database(), 'CONNECT') THEN
        RETURN;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO lms_application', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO bi_reader', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
END
$roles$;
