//! Memory backend.
/// In memory.
pub struct MemoryStore;
