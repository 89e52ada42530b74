//! DPoP proofs (RFC 9449 4).
