-- The token desk: workspaces, who may do what in them, and what lies there, sealed. Versions are for compare-and-set.
--! lock none: the table is new
CREATE TABLE IF NOT EXISTS workspaces (
  tenant  text COLLATE "C" NOT NULL,
  id      uuid    NOT NULL,
  version bigint  NOT NULL,
  name    text    NOT NULL,
  sharing boolean NOT NULL,
  PRIMARY KEY (tenant, id)
);
--! lock none: the table is new
CREATE TABLE IF NOT EXISTS workspace_members (
  tenant    text COLLATE "C" NOT NULL,
  workspace uuid NOT NULL,
  subject   text COLLATE "C" NOT NULL,
  may       text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, workspace, subject)
);
--! lock none: the table is empty
CREATE INDEX IF NOT EXISTS workspace_members_by_subject ON workspace_members (tenant, subject);
--! lock none: the table is new
CREATE TABLE IF NOT EXISTS desk_items (
  tenant    text COLLATE "C" NOT NULL,
  workspace uuid   NOT NULL,
  id        uuid   NOT NULL,
  owner     text COLLATE "C" NOT NULL,
  version   bigint NOT NULL,
  sealed    bytea  NOT NULL,
  PRIMARY KEY (tenant, workspace, id)
);
--! lock none: the table is empty
CREATE INDEX IF NOT EXISTS desk_items_by_owner ON desk_items (tenant, owner);
