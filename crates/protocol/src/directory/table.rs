//! A hash table that is changed by copying the part that changes.

use hashbrown::HashTable;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

/// What a [`Table`] holds.
pub trait Named {
    /// By what it is found; it never changes.
    fn name(&self) -> &str;
}

impl<T: Named> Named for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }
}

/// Finds things by name. A copy shares every part with the original, and a change copies the one part that it falls
/// into: a hundred thousand records are changed one by one without copying a hundred thousand.
#[derive(Clone)]
pub struct Table<T> {
    hasher: RandomState,
    /// None, or a power of two of them.
    parts: Vec<Arc<HashTable<T>>>,
    len: usize,
}

/// How many fall into one part at the most, on average.
const PART: usize = 128;

impl<T: Named + Clone> Table<T> {
    /// An empty one with room for `expected`.
    pub fn with_capacity(expected: usize) -> Self {
        let parts = if expected == 0 { 0 } else { expected.div_ceil(PART).next_power_of_two() };
        let each = expected.checked_div(parts).unwrap_or(0);
        let parts = (0..parts).map(|_| Arc::new(HashTable::with_capacity(each))).collect();
        Self { hasher: RandomState::new(), parts, len: 0 }
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        let hash = self.hasher.hash_one(name);
        self.parts.get(self.part(hash))?.find(hash, |item| item.name() == name)
    }

    /// Puts one in; gives what had its name.
    pub fn put(&mut self, item: T) -> Option<T> {
        if self.len >= self.parts.len() * PART {
            self.grow();
        }
        let before = self.insert(item);
        self.len += usize::from(before.is_none());
        before
    }

    /// Takes one out.
    pub fn take(&mut self, name: &str) -> Option<T> {
        self.get(name)?;
        let hash = self.hasher.hash_one(name);
        let at = self.part(hash);
        let part = Arc::make_mut(self.parts.get_mut(at)?);
        let (taken, _) = part.find_entry(hash, |item| item.name() == name).ok()?.remove();
        self.len -= 1;
        Some(taken)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// Reads where one of them lies, and what `at` reads there.
    pub(super) fn look_around(&self, at: impl FnOnce(&T) -> usize) -> usize {
        self.parts.first().and_then(|part| part.iter().next()).map_or(0, at)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn insert(&mut self, item: T) -> Option<T> {
        let hash = self.hasher.hash_one(item.name());
        let (at, hasher) = (self.part(hash), &self.hasher);
        let part = Arc::make_mut(self.parts.get_mut(at)?);
        if let Some(known) = part.find_mut(hash, |known| known.name() == item.name()) {
            return Some(std::mem::replace(known, item));
        }
        part.insert_unique(hash, item, |item| hasher.hash_one(item.name()));
        None
    }

    fn grow(&mut self) {
        let wider = (0..(self.parts.len() * 2).max(1)).map(|_| Arc::new(HashTable::new())).collect();
        for part in std::mem::replace(&mut self.parts, wider) {
            for item in part.iter() {
                self.insert(item.clone());
            }
        }
    }

    /// The table of a part takes other bits of the hash.
    fn part(&self, hash: u64) -> usize {
        usize::try_from(hash >> 16 & 0xffff_ffff).unwrap_or(0) & self.parts.len().wrapping_sub(1)
    }
}

impl<T: Named + Clone> Default for Table<T> {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl<T> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table of {}", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[derive(Clone, Debug, PartialEq)]
    struct Item(String, u8);

    impl Named for Item {
        fn name(&self) -> &str {
            &self.0
        }
    }

    proptest! {
        #[test]
        fn it_is_a_map(changes in prop::collection::vec((0_u16..400, any::<Option<u8>>()), 0..2_000)) {
            let mut table = Table::default();
            let mut map = HashMap::new();
            for (name, value) in changes {
                let name = name.to_string();
                if let Some(value) = value {
                    prop_assert_eq!(table.put(Item(name.clone(), value)).map(|item| item.1), map.insert(name, value));
                } else {
                    prop_assert_eq!(table.take(&name).map(|item: Item| item.1), map.remove(&name));
                }
                prop_assert_eq!(table.len(), map.len());
            }
            prop_assert_eq!(table.iter().count(), map.len());
            for (name, value) in map {
                prop_assert_eq!(table.get(&name).map(|item| item.1), Some(value));
            }
        }
    }

    #[test]
    fn a_change_copies_one_part_and_leaves_the_original() {
        let mut table = Table::with_capacity(10_000);
        for n in 0..10_000 {
            table.put(Item(n.to_string(), 0));
        }
        let before = table.clone();
        table.put(Item("7".to_owned(), 1));
        assert_eq!(before.get("7").map(|item| item.1), Some(0));
        let shared = before.parts.iter().zip(&table.parts).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, table.parts.len() - 1);
        assert_eq!(table.take("nobody"), None);
    }
}
