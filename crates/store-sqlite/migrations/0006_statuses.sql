-- Which token has which index in a status list. The name of a list is drawn, so that nobody counts.
CREATE TABLE statuses (
  tenant   TEXT    NOT NULL,
  list     INTEGER NOT NULL,
  idx      INTEGER NOT NULL,
  token    BLOB    NOT NULL,
  client   TEXT    NOT NULL,
  grant_id BLOB,
  expires  INTEGER NOT NULL,
  PRIMARY KEY (tenant, list, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX statuses_expire ON statuses (expires);
