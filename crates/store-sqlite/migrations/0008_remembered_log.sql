-- Values that are remembered, as a log in buckets: by the end of a span of time in which they expire, and in the order in
-- which they came. A commit writes to the end of a few buckets, however many values there are. What is in the buckets that
-- have not ended is looked for in memory. A place is not given twice as long as its bucket lives.
ALTER TABLE remembered RENAME TO remembered_by_value;
CREATE TABLE remembered (
  bucket  INTEGER NOT NULL,
  place   INTEGER NOT NULL,
  value   BLOB    NOT NULL,
  purpose TEXT    NOT NULL,
  tenant  TEXT    NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (bucket, place)
) STRICT, WITHOUT ROWID;
INSERT INTO remembered (bucket, place, value, purpose, tenant, expires)
  SELECT bucket, row_number() OVER (PARTITION BY bucket), value, purpose, tenant, expires FROM remembered_by_value;
DROP TABLE remembered_by_value;
