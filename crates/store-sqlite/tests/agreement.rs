//! SQLite and the memory say the same.

use grantor_store::MemoryStore;
use grantor_store::contract::agreement::{Step, first_difference};
use grantor_store_sqlite::SqliteStore;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_and_memory_agree_on_any_sequence_of_verbs(steps in prop::collection::vec(any::<Step>(), 1..300)) {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let difference = runtime.block_on(async {
            let sqlite = SqliteStore::open(&directory.path().join("grantor.db")).unwrap();
            first_difference(&MemoryStore::new(), &sqlite, &steps).await
        });
        prop_assert_eq!(difference, None);
    }
}
