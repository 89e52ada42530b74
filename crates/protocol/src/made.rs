//! What is made of a record when it is first needed, and kept beside it.

use std::fmt;
use std::sync::OnceLock;

/// Something that follows from the record that it stands in, and is no part of what the record says: it is not written
/// down, it is equal to any other, and a copy, which may be about to change, begins without it.
pub struct Made<T>(OnceLock<T>);

impl<T> Made<T> {
    /// Gives it, and makes it the first time. What it is made of must not be changed in place afterwards.
    pub fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }

    /// What was made, if it was.
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }
}

impl<T> Default for Made<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Clone for Made<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> PartialEq for Made<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> fmt::Debug for Made<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made")
    }
}

#[cfg(test)]
mod tests {
    use super::Made;

    #[test]
    fn it_is_made_once_and_left_behind_by_a_copy() {
        let made = Made::default();
        assert_eq!(made.get_or_make(|| 1), &1);
        assert_eq!(made.get_or_make(|| 2), &1);
        let copy = made.clone();
        assert_eq!(copy.get(), None);
        assert!(copy == made);
    }
}
