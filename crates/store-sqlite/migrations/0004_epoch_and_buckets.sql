-- What was issued before the epoch is worth nothing. One row, read by the statement that decides.
CREATE TABLE epoch (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id  BLOB    NOT NULL
) STRICT;
INSERT INTO epoch (one, id) VALUES (1, x'00000000000000000000000000000000');

-- Values that are remembered, by the end of a span of time in which they expire: inserts of one moment meet in few
-- pages, there is no index beside the table, and what is over goes as a range. The same value is looked for in every
-- bucket that has not ended; they are few. `bucket` is never smaller than `expires`.
ALTER TABLE remembered RENAME TO remembered_by_value;
DROP INDEX remembered_expire;
CREATE TABLE remembered (
  bucket  INTEGER NOT NULL,
  value   BLOB    NOT NULL,
  purpose TEXT    NOT NULL,
  tenant  TEXT    NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (bucket, value, purpose, tenant)
) STRICT, WITHOUT ROWID;
INSERT INTO remembered (bucket, value, purpose, tenant, expires)
  SELECT (expires / 4096 + 1) * 4096, value, purpose, tenant, expires FROM remembered_by_value;
DROP TABLE remembered_by_value;
