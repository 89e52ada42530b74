//! Grantor's cluster storage: PostgreSQL and what speaks its protocol.
