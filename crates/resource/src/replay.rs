//! Which DPoP proofs were seen (RFC 9449 11.1), in memory and bounded.
//!
//! A proof is remembered for as long as it would be accepted. Where there is no more room nothing is forgotten early:
//! that would let old proofs in. The request is refused instead, and may be tried again.

use crate::Refusal;
use grantor_protocol::token::dpop::Proof;
use grantor_protocol::value::{Seconds, UnixTime};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Only proofs with tokens that hold get here: to fill it takes a client of the issuer's, and many requests a second.
const SHARDS: usize = 16;

/// How often what may be forgotten is looked for.
const SWEEP: Seconds = Seconds::new(10);

pub(crate) struct Replay {
    per_shard: usize,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    seen: HashMap<[u8; 32], UnixTime>,
    swept: Option<UnixTime>,
}

impl Replay {
    /// For so many proofs at once.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { per_shard: capacity.div_ceil(SHARDS), shards: Default::default() }
    }

    /// Remembers a proof; refuses it when it was seen before.
    pub(crate) fn remember(&self, proof: &Proof, now: UnixTime) -> Result<(), Refusal> {
        let [first, ..] = proof.id;
        // There are sixteen, and a digest is even.
        let shard = self.shards.get(usize::from(first) % SHARDS).ok_or(Refusal::ProofsOverflow)?;
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.swept.is_none_or(|swept| swept.plus(SWEEP) <= now) {
            shard.seen.retain(|_, until| now < *until);
            shard.swept = Some(now);
        }
        if shard.seen.get(&proof.id).is_some_and(|until| now < *until) {
            return Err(Refusal::ProofReplayed);
        }
        if shard.seen.len() >= self.per_shard {
            shard.seen.retain(|_, until| now < *until);
            if shard.seen.len() >= self.per_shard {
                return Err(Refusal::ProofsOverflow);
            }
        }
        shard.seen.insert(proof.id, proof.until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_jose::{JwkThumbprint, SigningAlgorithm};

    fn proof(id: u8, until: i64) -> Proof {
        // All in one shard.
        let mut bytes = [0; 32];
        bytes[1] = id;
        Proof {
            key: JwkThumbprint::from_bytes([1; 32]),
            algorithm: SigningAlgorithm::Es256,
            id: bytes,
            until: UnixTime::new(until),
        }
    }

    #[test]
    fn rfc9449_11_1_a_proof_is_used_once() {
        let replay = Replay::new(1000);
        let at = |now| replay.remember(&proof(1, 100), UnixTime::new(now));
        assert_eq!(at(50), Ok(()));
        assert_eq!(at(50), Err(Refusal::ProofReplayed));
        assert_eq!(at(99), Err(Refusal::ProofReplayed));
        assert_eq!(replay.remember(&proof(2, 100), UnixTime::new(99)), Ok(()));
    }

    #[test]
    fn rfc9449_11_1_when_there_is_no_room_nothing_is_forgotten() {
        let replay = Replay::new(2 * SHARDS);
        let at = |id, now| replay.remember(&proof(id, 100), UnixTime::new(now));
        assert_eq!((at(1, 50), at(2, 50)), (Ok(()), Ok(())));
        assert_eq!(at(3, 50), Err(Refusal::ProofsOverflow));
        assert_eq!(at(1, 55), Err(Refusal::ProofReplayed));
        assert_eq!(at(3, 100), Ok(()), "the first two are too old by now");
    }

    #[test]
    fn rfc9449_11_1_what_is_too_old_makes_room() {
        let replay = Replay::new(2 * SHARDS);
        let at = |id, until, now| replay.remember(&proof(id, until), UnixTime::new(now));
        let held = || replay.shards.iter().map(|shard| shard.lock().unwrap().seen.len()).sum::<usize>();
        assert_eq!((at(1, 100, 50), at(2, 103, 95), held()), (Ok(()), Ok(()), 2));
        assert_eq!(at(3, 200, 99), Err(Refusal::ProofsOverflow));
        // Before the next sweep is due.
        assert_eq!((at(3, 200, 101), held()), (Ok(()), 2));
        // And by the sweep, though there is room.
        let wide = Replay::new(1000);
        let at = |id, until, now| wide.remember(&proof(id, until), UnixTime::new(now));
        let held = || wide.shards.iter().map(|shard| shard.lock().unwrap().seen.len()).sum::<usize>();
        assert_eq!((at(1, 100, 50), at(2, 200, 111), held()), (Ok(()), Ok(()), 1));
    }
}
