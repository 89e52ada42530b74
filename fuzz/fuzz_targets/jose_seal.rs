//! Seals: arbitrary bytes never open, what was sealed opens, and a change anywhere closes it.
#![no_main]

use grantor_jose::seal::{HANDLE_RANDOM, HandleSealKey, SealKey};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// One for all inputs: what it derives and keeps must not matter.
static HANDLES: LazyLock<HandleSealKey> = LazyLock::new(|| HandleSealKey::new(&[0x5a; 32]));

fuzz_target!(|data: &[u8]| {
    let key = SealKey::new(&[0x5a; 32]);
    assert!(key.open(b"fuzz", data).is_none());
    assert!(HANDLES.open(b"fuzz", data).is_none());
    let Some((random, rest)) = data.split_first_chunk::<HANDLE_RANDOM>() else { return };
    let Some((at, plaintext)) = rest.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_be_bytes(*at));
    let Some((salt, _)) = random.split_first_chunk::<16>() else { return };
    let mut handle = Vec::new();
    assert!(HANDLES.seal_after(b"fuzz", *random, plaintext, &mut handle));
    closes(key.seal(b"fuzz", *salt, plaintext), at, plaintext, |context, sealed| key.open(context, sealed));
    closes(handle, at, plaintext, |context, sealed| HANDLES.open(context, sealed));
});

fn closes(mut sealed: Vec<u8>, at: usize, plaintext: &[u8], open: impl Fn(&[u8], &[u8]) -> Option<Vec<u8>>) {
    assert_eq!(open(b"fuzz", &sealed).as_deref(), Some(plaintext));
    assert!(open(b"other", &sealed).is_none());
    let bit = at % (sealed.len() * 8);
    sealed[bit / 8] ^= 1 << (bit % 8);
    assert!(open(b"fuzz", &sealed).is_none());
}
