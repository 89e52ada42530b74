//! The contract suite on SQLite.

#![expect(clippy::unwrap_used, reason = "tests")]

use grantor_store_sqlite::SqliteStore;

grantor_store::contract_tests!(open());

fn open() -> (SqliteStore, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (SqliteStore::open(&directory.path().join("grantor.db")).unwrap(), directory)
}
