-- Devices that wait for somebody to allow them (RFC 8628). `answer` is NULL while nobody has said anything, empty when it
-- was no, and else what was allowed. `next` is when it may ask again. They are few, and live for minutes.
CREATE TABLE devices (
  tenant    TEXT    NOT NULL,
  user_code TEXT    NOT NULL,
  id        BLOB    NOT NULL,
  client    TEXT    NOT NULL,
  query     TEXT    NOT NULL,
  expires   INTEGER NOT NULL,
  interval  INTEGER NOT NULL,
  next      INTEGER NOT NULL,
  answer    TEXT,
  PRIMARY KEY (tenant, user_code),
  UNIQUE (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_expire ON devices (expires);
