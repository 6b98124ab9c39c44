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

-- The processes that keep projections, so that each takes its share.

CREATE TABLE lms.projector (
    id uuid PRIMARY KEY,
    until timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON lms.projection, lms.parked, lms.projector TO lms_application;
