-- Everything is keyed by its tenant. Identifiers are 16 bytes in order of time (uuid), times are whole seconds since the
-- epoch. JSON documents are text, so that they come back byte for byte. Names are compared by bytes: an index outlives
-- an upgrade of the server's locales, and two servers list in the same order.
--
-- Every statement stands alone and may be carried out twice. Here each makes a table or an index of an empty table:
-- no lock that anybody waits for.

-- What a user allowed a client. `key` is the grant's id with its last byte moved to the front: inserts append at 256
-- places, so that no range of a distributed table takes them all, and the pages that they touch stay warm.
--
-- `terms` is the part that never changes; `idle`, `ends`, `client` and `subject` repeat what statements need of it.
-- `due` is when `expire` looks at the row next. Rotating changes `generation`, `rotated`, `expires` and `attempt`,
-- none of which is in an index: a refresh touches no index (a heap-only update). `attempt` is drawn by the node for
-- each rotation: one that lost its answer knows its own again; so does whoever revoked it, by `revoker`.
CREATE TABLE IF NOT EXISTS grants (
  tenant     text COLLATE "C" NOT NULL,
  key        bytea  NOT NULL,
  client     text COLLATE "C" NOT NULL,
  subject    text COLLATE "C" NOT NULL,
  generation bigint NOT NULL,
  rotated    bigint NOT NULL,
  expires    bigint NOT NULL,
  revoked    bigint,
  idle       bigint NOT NULL,
  ends       bigint NOT NULL,
  due        bigint NOT NULL,
  attempt    uuid,
  revoker    uuid,
  terms      text   NOT NULL,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX IF NOT EXISTS grants_by_subject ON grants (tenant, subject, key) WHERE revoked IS NULL;
CREATE INDEX IF NOT EXISTS grants_by_client ON grants (tenant, client, key) WHERE revoked IS NULL;
CREATE INDEX IF NOT EXISTS grants_due ON grants (due);

-- What is many and short-lived lies in a ring of tables, one for each day of `expires` modulo 4. A day that is over is
-- dropped whole. What expires later than the ring reaches lies in the table without a number.
CREATE TABLE IF NOT EXISTS spent_codes_0 (
  tenant   text COLLATE "C" NOT NULL,
  code     uuid   NOT NULL,
  grant_id uuid   NOT NULL,
  expires  bigint NOT NULL,
  PRIMARY KEY (tenant, code)
);
CREATE TABLE IF NOT EXISTS spent_codes_1 (
  tenant   text COLLATE "C" NOT NULL,
  code     uuid   NOT NULL,
  grant_id uuid   NOT NULL,
  expires  bigint NOT NULL,
  PRIMARY KEY (tenant, code)
);
CREATE TABLE IF NOT EXISTS spent_codes_2 (
  tenant   text COLLATE "C" NOT NULL,
  code     uuid   NOT NULL,
  grant_id uuid   NOT NULL,
  expires  bigint NOT NULL,
  PRIMARY KEY (tenant, code)
);
CREATE TABLE IF NOT EXISTS spent_codes_3 (
  tenant   text COLLATE "C" NOT NULL,
  code     uuid   NOT NULL,
  grant_id uuid   NOT NULL,
  expires  bigint NOT NULL,
  PRIMARY KEY (tenant, code)
);
CREATE TABLE IF NOT EXISTS spent_codes (
  tenant   text COLLATE "C" NOT NULL,
  code     uuid   NOT NULL,
  grant_id uuid   NOT NULL,
  expires  bigint NOT NULL,
  PRIMARY KEY (tenant, code)
);
CREATE INDEX IF NOT EXISTS spent_codes_expire ON spent_codes (expires);

CREATE TABLE IF NOT EXISTS remembered_0 (
  tenant  text COLLATE "C" NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  value   bytea  NOT NULL,
  expires bigint NOT NULL,
  attempt uuid,
  PRIMARY KEY (tenant, purpose, value)
);
CREATE TABLE IF NOT EXISTS remembered_1 (
  tenant  text COLLATE "C" NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  value   bytea  NOT NULL,
  expires bigint NOT NULL,
  attempt uuid,
  PRIMARY KEY (tenant, purpose, value)
);
CREATE TABLE IF NOT EXISTS remembered_2 (
  tenant  text COLLATE "C" NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  value   bytea  NOT NULL,
  expires bigint NOT NULL,
  attempt uuid,
  PRIMARY KEY (tenant, purpose, value)
);
CREATE TABLE IF NOT EXISTS remembered_3 (
  tenant  text COLLATE "C" NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  value   bytea  NOT NULL,
  expires bigint NOT NULL,
  attempt uuid,
  PRIMARY KEY (tenant, purpose, value)
);
CREATE TABLE IF NOT EXISTS remembered (
  tenant  text COLLATE "C" NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  value   bytea  NOT NULL,
  expires bigint NOT NULL,
  attempt uuid,
  PRIMARY KEY (tenant, purpose, value)
);
CREATE INDEX IF NOT EXISTS remembered_expire ON remembered (expires);

CREATE TABLE IF NOT EXISTS revoked_tokens (
  tenant  text COLLATE "C" NOT NULL,
  token   uuid   NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (tenant, token)
);
CREATE INDEX IF NOT EXISTS revoked_tokens_expire ON revoked_tokens (expires);

-- Access tokens older than `cutoff` are revoked. (subject, '') is a user, ('', client) a client,
-- (subject, client) what a user allowed one client.
CREATE TABLE IF NOT EXISTS cutoffs (
  tenant  text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  client  text COLLATE "C" NOT NULL,
  cutoff  uuid   NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (tenant, subject, client)
);
CREATE INDEX IF NOT EXISTS cutoffs_expire ON cutoffs (expires);

CREATE TABLE IF NOT EXISTS sessions (
  tenant         text COLLATE "C" NOT NULL,
  key            bytea  NOT NULL,
  sid            text   NOT NULL,
  subject        text COLLATE "C" NOT NULL,
  authentication text   NOT NULL,
  expires        bigint NOT NULL,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX IF NOT EXISTS sessions_by_subject ON sessions (tenant, subject);
CREATE INDEX IF NOT EXISTS sessions_expire ON sessions (expires);

CREATE TABLE IF NOT EXISTS consents (
  tenant  text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  client  text COLLATE "C" NOT NULL,
  access  text   NOT NULL,
  first   bigint NOT NULL,
  last    bigint NOT NULL,
  PRIMARY KEY (tenant, subject, client)
);
CREATE INDEX IF NOT EXISTS consents_by_client ON consents (tenant, client);

-- Tenants, APIs, clients, policies and keys, each as one JSON document. `version` is the version of the directory at
-- which the row changed; a row without a body was deleted then.
CREATE TABLE IF NOT EXISTS directory (
  kind    text COLLATE "C" NOT NULL,
  tenant  text COLLATE "C" NOT NULL,
  name    text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  body    text,
  PRIMARY KEY (kind, tenant, name)
);
CREATE INDEX IF NOT EXISTS directory_by_version ON directory (version);

-- `folded` is the user name in lower case.
CREATE TABLE IF NOT EXISTS users (
  tenant text COLLATE "C" NOT NULL,
  sub    text COLLATE "C" NOT NULL,
  folded text COLLATE "C" NOT NULL,
  body   text NOT NULL,
  PRIMARY KEY (tenant, sub)
);
CREATE UNIQUE INDEX IF NOT EXISTS users_by_name ON users (tenant, folded);

CREATE TABLE IF NOT EXISTS events (
  tenant text COLLATE "C" NOT NULL,
  id     uuid NOT NULL,
  body   text NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX IF NOT EXISTS events_by_age ON events (id);

-- When each credential of a client was last used, give or take a minute.
CREATE TABLE IF NOT EXISTS credential_uses (
  tenant     text COLLATE "C" NOT NULL,
  client     text COLLATE "C" NOT NULL,
  credential text COLLATE "C" NOT NULL,
  time       bigint NOT NULL,
  PRIMARY KEY (tenant, client, credential)
);

-- `epoch`: what was issued before the id in `bytes` is worth nothing. `directory_version` grows with every change,
-- `directory_floor` is the oldest version since which the changes are still known.
INSERT INTO meta (name, number) VALUES ('directory_version', 0) ON CONFLICT DO NOTHING;
INSERT INTO meta (name, number) VALUES ('directory_floor', 0) ON CONFLICT DO NOTHING;
INSERT INTO meta (name, number, bytes) VALUES ('epoch', 0, '\x00000000000000000000000000000000') ON CONFLICT DO NOTHING;
