-- Devices that wait for somebody to allow them (RFC 8628). `answer` is NULL while nobody has said anything, empty when it
-- was no, and else what was allowed. `next` is when it may ask again, and `wait` how long it waits in between. They are
-- few, and live for minutes.
--! lock none: the table is new
CREATE TABLE IF NOT EXISTS devices (
  tenant    text COLLATE "C" NOT NULL,
  id        uuid   NOT NULL,
  user_code text COLLATE "C" NOT NULL,
  client    text COLLATE "C" NOT NULL,
  query     text   NOT NULL,
  expires   bigint NOT NULL,
  wait      bigint NOT NULL,
  next      bigint NOT NULL,
  answer    text,
  PRIMARY KEY (tenant, user_code)
);
--! lock none: the table is empty
CREATE UNIQUE INDEX IF NOT EXISTS devices_by_id ON devices (tenant, id);
--! lock none: the table is empty
CREATE INDEX IF NOT EXISTS devices_expire ON devices (expires);
