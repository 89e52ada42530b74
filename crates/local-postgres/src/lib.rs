//! Real PostgreSQL servers for tests, proofs and benchmarks, each in a directory of its own.
