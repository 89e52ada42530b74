-- The token desk: workspaces, who may do what in them, and what lies there, sealed. Versions are for compare-and-set.
CREATE TABLE workspaces (
  tenant  TEXT    NOT NULL,
  id      BLOB    NOT NULL,
  version INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  sharing INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE workspace_members (
  tenant    TEXT NOT NULL,
  workspace BLOB NOT NULL,
  subject   TEXT NOT NULL,
  may       TEXT NOT NULL,
  PRIMARY KEY (tenant, workspace, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX workspace_members_by_subject ON workspace_members (tenant, subject);
CREATE TABLE desk_items (
  tenant    TEXT    NOT NULL,
  workspace BLOB    NOT NULL,
  id        BLOB    NOT NULL,
  owner     TEXT    NOT NULL,
  version   INTEGER NOT NULL,
  sealed    BLOB    NOT NULL,
  PRIMARY KEY (tenant, workspace, id)
) STRICT;
CREATE INDEX desk_items_by_owner ON desk_items (tenant, owner);
