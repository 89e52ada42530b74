//! The contract suite on SQLite.

use grantor_store::Directories as _;
use grantor_store_sqlite::SqliteStore;

#[tokio::test]
async fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("a.db")).unwrap();
    assert_eq!(store.directory_version().await.unwrap(), 0);
    assert_eq!(store.change_directory(vec![], Some(0)).await.unwrap(), 1);
    assert_eq!(store.directory().await.unwrap().version, 1);
}
