-- The version of the directory with which each record became what it is.
ALTER TABLE directory ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX directory_by_version ON directory (version);

-- What was deleted, and with which version, whether or not it was declared again. A tenant stands for all that it had.
CREATE TABLE directory_gone (
  kind    TEXT    NOT NULL,
  tenant  TEXT    NOT NULL,
  name    TEXT    NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (kind, tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX directory_gone_by_version ON directory_gone (version);

-- What was deleted up to this version is not known.
INSERT INTO meta (name, value) SELECT 'directory_floor', value FROM meta WHERE name = 'directory_version';
