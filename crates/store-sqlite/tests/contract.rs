//! The contract suite on SQLite.

use grantor_store_sqlite::SqliteStore;

grantor_store::contract_tests!(open());

fn open() -> (SqliteStore, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (SqliteStore::open(&directory.path().join("grantor.db")).unwrap(), directory)
}
