//! Token Status List (draft-ietf-oauth-status-list-17): one bit says whether a JWT was taken back, and many of them travel
//! in one signed document that anybody may keep for a few seconds.
//!
//! Both ends are here: the lists that this server publishes, and the reading of any issuer's.

use crate::metadata::path;
use crate::value::{Issuer, Seconds, UnixTime};
use grantor_jose::{SigningAlgorithm, base64url};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::Serialize;
use serde_json::{Map, Value};

/// `typ` of a Status List Token (5.1).
pub const TYP: &str = "statuslist+jwt";
/// Its media type (8.1).
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// How many tokens have their index in one list of ours: 2 KiB as it is counted, mostly a few bytes as it travels.
pub const LENGTH: u32 = 16 * 1024;

/// `ttl` of our lists: whoever follows one looks again after so many seconds.
pub const TTL: Seconds = Seconds::new(3);

/// For how long a list of ours is good where a fresh one cannot be had (`exp`).
pub const LIFE: Seconds = Seconds::new(300);

/// What was taken back stays in the list for so long after the token has expired: the clocks of those who verify may be
/// late.
pub const AFTERLIFE: Seconds = Seconds::new(300);

/// A list of another issuer is not unpacked beyond this, in bytes: 64 million tokens of one bit.
const MAX_LIST: usize = 8 * 1024 * 1024;
/// As much compression as is to be had: a list is made once and read by many.
const LEVEL: u8 = 9;

/// Where a token of ours stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatusIndex {
    /// The name of the list: drawn, so that nobody has to count across nodes.
    pub list: u64,
    /// Below [`LENGTH`].
    pub index: u32,
}

/// What a token says of where its status is (6.2): `status.status_list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReference {
    /// Which list.
    pub uri: String,
    /// Which entry of it.
    pub index: u64,
}

/// The `status` claim.
#[derive(Serialize)]
pub struct Claim<'a> {
    status_list: Entry<'a>,
}

#[derive(Serialize)]
struct Entry<'a> {
    idx: u64,
    uri: &'a str,
}

/// A `status` claim, a Status List Token or a list in it is not what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the status, or its list, is malformed")]
pub struct Malformed;

/// Which JWTs of a list were taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    /// Bits of one entry: 1, 2, 4 or 8.
    bits: u8,
    bytes: Vec<u8>,
}

/// What a Status List Token says (5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusListToken {
    /// `sub`: where it is published.
    pub uri: String,
    /// `iat`.
    pub issued: UnixTime,
    /// `exp`.
    pub expires: Option<UnixTime>,
    /// `ttl`.
    pub ttl: Option<Seconds>,
    /// `status_list`.
    pub list: StatusList,
}

#[derive(Serialize)]
struct Written<'a> {
    sub: &'a str,
    iat: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<Seconds>,
    status_list: Packed,
}

#[derive(Serialize)]
struct Packed {
    bits: u8,
    lst: String,
}

impl StatusIndex {
    /// What a token with this index says. Its list is signed as the token is, so that whoever can verify the one can
    /// verify the other.
    pub fn reference(self, issuer: &Issuer, algorithm: SigningAlgorithm) -> StatusReference {
        StatusReference { uri: uri(issuer, algorithm, self.list), index: u64::from(self.index) }
    }
}

/// Where a list is published.
pub fn uri(issuer: &Issuer, algorithm: SigningAlgorithm, list: u64) -> String {
    let issuer = issuer.as_str().trim_end_matches('/');
    format!("{issuer}{}/{algorithm}/{list:016x}", path::STATUS_LISTS)
}

/// The name of a list as it stands in its address.
pub fn parse_name(raw: &str) -> Option<u64> {
    let canonical = raw.len() == 16 && raw.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    canonical.then(|| u64::from_str_radix(raw, 16).ok()).flatten()
}

impl StatusReference {
    /// As it is written.
    pub fn claim(&self) -> Claim<'_> {
        Claim { status_list: Entry { idx: self.index, uri: &self.uri } }
    }

    /// Reads `status.status_list` (6.2): none where a token has no `status`, or one of another mechanism.
    ///
    /// # Errors
    ///
    /// It is there, and not what it must be.
    pub fn from_claims(claims: &Map<String, Value>) -> Result<Option<Self>, Malformed> {
        let Some(status) = claims.get("status") else { return Ok(None) };
        let Some(entry) = status.as_object().ok_or(Malformed)?.get("status_list") else { return Ok(None) };
        let index = entry.get("idx").and_then(Value::as_u64).ok_or(Malformed)?;
        let uri = entry.get("uri").and_then(Value::as_str).ok_or(Malformed)?;
        Ok(Some(Self { uri: uri.to_owned(), index }))
    }
}

impl StatusList {
    /// A list of ours: the entries that are not valid.
    pub fn of_invalid(invalid: &[u32]) -> Self {
        let mut bytes = vec![0_u8; LENGTH as usize / 8];
        for index in invalid {
            if let Some(byte) = bytes.get_mut(*index as usize / 8) {
                *byte |= 1 << (index % 8);
            }
        }
        Self { bits: 1, bytes }
    }

    /// Whether the entry is VALID (7.1: 0; everything else is a reason to refuse). None outside of the list, which is an
    /// error too (8.3).
    pub fn is_valid(&self, index: u64) -> Option<bool> {
        let per_byte = u64::from(8 / self.bits);
        let byte = self.bytes.get(usize::try_from(index / per_byte).ok()?)?;
        let shift = u8::try_from(index % per_byte).ok()? * self.bits;
        // The lowest bits are the first entry's (4.1).
        let mask = u8::MAX >> (8 - self.bits);
        Some((byte >> shift) & mask == 0)
    }

    fn pack(&self) -> Packed {
        Packed { bits: self.bits, lst: base64url::encode(compress_to_vec_zlib(&self.bytes, LEVEL)) }
    }

    /// Reads `status_list` (4.2).
    fn unpack(packed: &Value) -> Option<Self> {
        let bits = packed.get("bits")?.as_u64().filter(|bits| [1, 2, 4, 8].contains(bits))?;
        let compressed = base64url::decode(packed.get("lst")?.as_str()?)?;
        let bytes = decompress_to_vec_zlib_with_limit(&compressed, MAX_LIST).ok()?;
        Some(Self { bits: u8::try_from(bits).ok()?, bytes })
    }
}

impl StatusListToken {
    /// The claims as JSON.
    pub fn to_payload(&self) -> Vec<u8> {
        let Self { uri, issued, expires, ttl, list } = self;
        let written = Written { sub: uri, iat: *issued, exp: *expires, ttl: *ttl, status_list: list.pack() };
        // Texts and numbers: there is nothing that could fail.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads the claims of a list that was fetched from `uri`, after its signature was verified (8.3). Whether it has
    /// expired is asked separately.
    ///
    /// # Errors
    ///
    /// It is not what it must be, or another list than the one that was asked for.
    pub fn from_claims(claims: &Map<String, Value>, uri: &str) -> Result<Self, Malformed> {
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(time) => time.as_i64().map(|time| Some(UnixTime::new(time))).ok_or(Malformed),
        };
        let ttl = match claims.get("ttl") {
            None => None,
            Some(ttl) => {
                let seconds = ttl.as_u64().filter(|seconds| *seconds > 0).ok_or(Malformed)?;
                Some(Seconds::new(u32::try_from(seconds).unwrap_or(u32::MAX)))
            }
        };
        let its_own = claims.get("sub").and_then(Value::as_str).filter(|sub| *sub == uri).ok_or(Malformed)?;
        Ok(Self {
            uri: its_own.to_owned(),
            issued: time("iat")?.ok_or(Malformed)?,
            expires: time("exp")?,
            ttl,
            list: claims.get("status_list").and_then(StatusList::unpack).ok_or(Malformed)?,
        })
    }
}

#[cfg(test)]
#[path = "status_list_tests.rs"]
mod tests;
