-- All of them were moved.
DROP TABLE grants_by_name;
CREATE INDEX grants_by_subject ON grants (tenant, subject) WHERE revoked IS NULL;
CREATE INDEX grants_by_client ON grants (tenant, client) WHERE revoked IS NULL;
CREATE INDEX grants_revoked ON grants (tenant) WHERE revoked IS NOT NULL;
CREATE INDEX grants_due ON grants (due);
