//! Sealed handles: arbitrary bytes never open, what was sealed opens, and a change anywhere closes it.
#![no_main]

use grantor_jose::seal::SealKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let key = SealKey::new(&[0x5a; 32]);
    assert!(key.open(b"fuzz", data).is_none());
    let Some((salt, rest)) = data.split_first_chunk::<16>() else { return };
    let Some((at, plaintext)) = rest.split_first_chunk::<2>() else { return };
    let mut sealed = key.seal(b"fuzz", *salt, plaintext);
    assert_eq!(key.open(b"fuzz", &sealed).as_deref(), Some(plaintext));
    assert!(key.open(b"other", &sealed).is_none());
    let bit = usize::from(u16::from_be_bytes(*at)) % (sealed.len() * 8);
    sealed[bit / 8] ^= 1 << (bit % 8);
    assert!(key.open(b"fuzz", &sealed).is_none());
});
