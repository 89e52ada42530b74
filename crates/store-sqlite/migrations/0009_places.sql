-- Grants by a place that their identifiers lead to, which are in the order of time: no index beside the table, and a new
-- one is written at its end. Those that were there are moved in small steps; what they are found by comes afterwards.
ALTER TABLE grants RENAME TO grants_by_name;
CREATE TABLE grants (
  place      INTEGER PRIMARY KEY,
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
  terms      TEXT    NOT NULL
) STRICT;
DROP INDEX grants_by_subject;
DROP INDEX grants_by_client;
DROP INDEX grants_due;

-- In the order of time over all tenants: the oldest come first, and their end needs no index.
ALTER TABLE spent_codes RENAME TO spent_codes_by_name;
DROP INDEX spent_codes_expire;
CREATE TABLE spent_codes (
  code     BLOB    NOT NULL,
  tenant   TEXT    NOT NULL,
  grant_id BLOB    NOT NULL,
  expires  INTEGER NOT NULL,
  PRIMARY KEY (code, tenant)
) STRICT, WITHOUT ROWID;
INSERT INTO spent_codes (code, tenant, grant_id, expires)
  SELECT code, tenant, grant_id, expires FROM spent_codes_by_name ORDER BY code, tenant;
DROP TABLE spent_codes_by_name;
