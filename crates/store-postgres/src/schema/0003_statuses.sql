-- Which token has which index in a status list. The name of a list is drawn, so that nobody counts; a node fills one after
-- another, and they go when their tokens have expired.
--! lock none: the table is new
CREATE TABLE IF NOT EXISTS statuses (
  tenant    text COLLATE "C" NOT NULL,
  list      bigint NOT NULL,
  idx       bigint NOT NULL,
  token     uuid   NOT NULL,
  client    text COLLATE "C" NOT NULL,
  grant_id  uuid,
  grant_key bytea,
  expires   bigint NOT NULL,
  PRIMARY KEY (tenant, list, idx)
);
--! lock none: the table is empty
CREATE INDEX IF NOT EXISTS statuses_expire ON statuses (expires);
