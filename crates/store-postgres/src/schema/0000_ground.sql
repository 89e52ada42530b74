-- What migrations stand on: carried out at every start, before anything else. Each statement may be carried out twice.

-- What the whole database has once: `schema` is the number of the last migration that is complete.
CREATE TABLE IF NOT EXISTS meta (
  name   text COLLATE "C" NOT NULL PRIMARY KEY,
  number bigint NOT NULL,
  bytes  bytea
);

-- Who does what only one may do at a time, until when in seconds of the database's clock.
CREATE TABLE IF NOT EXISTS leases (
  name   text COLLATE "C" NOT NULL PRIMARY KEY,
  holder uuid   NOT NULL,
  until  bigint NOT NULL
);

-- How far a migration has come: its steps before `step` are complete, and of that step what is before `position`.
CREATE TABLE IF NOT EXISTS migrations (
  number   bigint NOT NULL PRIMARY KEY,
  step     bigint NOT NULL,
  position text   NOT NULL,
  rows     bigint NOT NULL
);
INSERT INTO meta (name, number) VALUES ('schema', 0) ON CONFLICT DO NOTHING;
