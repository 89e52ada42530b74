-- When each credential of a client was last used, give or take a minute.
CREATE TABLE credential_uses (
  tenant     TEXT    NOT NULL,
  client     TEXT    NOT NULL,
  credential TEXT    NOT NULL,
  time       INTEGER NOT NULL,
  PRIMARY KEY (tenant, client, credential)
) STRICT, WITHOUT ROWID;
