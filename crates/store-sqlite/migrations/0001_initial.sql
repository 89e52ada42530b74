-- Everything is keyed by its tenant. Identifiers are 16-byte time-ordered blobs, so that inserts append.
-- Times are whole seconds since the epoch.

-- What a user allowed a client. `terms` is the part that never changes; `idle`, `ends`, `client` and `subject` repeat
-- what statements need of it. `due` is when `expire` looks at the row next: rotating leaves it alone, so that a
-- refresh touches no index.
CREATE TABLE grants (
  tenant     TEXT    NOT NULL,
  id         BLOB    NOT NULL,
  client     TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  generation INTEGER NOT NULL,
  rotated    INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  revoked    INTEGER,
  idle       INTEGER NOT NULL,
  ends       INTEGER NOT NULL,
  due        INTEGER NOT NULL,
  terms      TEXT    NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX grants_by_subject ON grants (tenant, subject, id) WHERE revoked IS NULL;
CREATE INDEX grants_by_client ON grants (tenant, client, id) WHERE revoked IS NULL;
CREATE INDEX grants_due ON grants (due);

CREATE TABLE spent_codes (
  tenant  TEXT    NOT NULL,
  code    BLOB    NOT NULL,
  grant_id BLOB   NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (tenant, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_codes_expire ON spent_codes (expires);

CREATE TABLE revoked_tokens (
  tenant  TEXT    NOT NULL,
  token   BLOB    NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (tenant, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_tokens_expire ON revoked_tokens (expires);

-- Access tokens older than `cutoff` are revoked. (subject, '') is a user, ('', client) a client,
-- (subject, client) what a user allowed one client.
CREATE TABLE cutoffs (
  tenant  TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  client  TEXT    NOT NULL,
  cutoff  BLOB    NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (tenant, subject, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX cutoffs_expire ON cutoffs (expires);

CREATE TABLE sessions (
  tenant         TEXT    NOT NULL,
  key            BLOB    NOT NULL,
  sid            TEXT    NOT NULL,
  subject        TEXT    NOT NULL,
  authentication TEXT    NOT NULL,
  expires        INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_subject ON sessions (tenant, subject);
CREATE INDEX sessions_expire ON sessions (expires);

CREATE TABLE consents (
  tenant  TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  client  TEXT    NOT NULL,
  access  TEXT    NOT NULL,
  first   INTEGER NOT NULL,
  last    INTEGER NOT NULL,
  PRIMARY KEY (tenant, subject, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_by_client ON consents (tenant, client);

CREATE TABLE remembered (
  tenant  TEXT    NOT NULL,
  purpose TEXT    NOT NULL,
  value   BLOB    NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (tenant, purpose, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_expire ON remembered (expires);

-- Tenants, APIs, clients, policies and keys, each as one JSON document.
CREATE TABLE directory (
  kind   TEXT NOT NULL,
  tenant TEXT NOT NULL,
  name   TEXT NOT NULL,
  body   TEXT NOT NULL,
  PRIMARY KEY (kind, tenant, name)
) STRICT;

-- `folded` is the user name in lower case.
CREATE TABLE users (
  tenant TEXT NOT NULL,
  sub    TEXT NOT NULL,
  folded TEXT NOT NULL,
  body   TEXT NOT NULL,
  PRIMARY KEY (tenant, sub),
  UNIQUE (tenant, folded)
) STRICT;

CREATE TABLE events (
  tenant TEXT NOT NULL,
  id     BLOB NOT NULL,
  body   TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT;

INSERT INTO meta (name, value) VALUES ('directory_version', 0);
